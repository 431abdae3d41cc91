/** What `abort` becomes: a trap. A trapped governor refills nothing, and an accelerator without credit stands still. */
export function abort(message: usize, fileName: usize, lineNumber: u32, columnNumber: u32): void {
  unreachable();
}
