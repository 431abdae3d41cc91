/** HTML and SVG as text: elements whose attributes are escaped, and text that is. */

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** `children` are markup already: what is text goes through `escaped` first. Numbers have two decimals at the most. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? coordinate(value) : escaped(value!)}"`);
  return `<${name}${written.join("")}>${children.join("")}</${name}>`;
}

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function coordinate(value: number): string {
  const rounded = Math.round(value * 100) / 100;
  return rounded === 0 ? "0" : String(rounded);
}
