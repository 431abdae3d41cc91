/** What is counted, and that dashboard and alerts ask for nothing that is not. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AUTH_ERRORS } from "../../../host/auth/errors.ts";
import { ServiceMetrics } from "../../../host/http/metrics.ts";
import { HTTP_PROBLEMS } from "../../../host/http/problem-codes.ts";
import { STORE_ERRORS } from "../../../host/store/errors.ts";
import { VERIFIER_ERRORS, VerifierError } from "../../../host/verifier/errors.ts";
import { OBJECT, UEID_HEX } from "./fake-service.ts";
import { bytes, json, makeRig, type Rig } from "./rig.ts";

const read = (name: string) => readFileSync(new URL(`../../../host/http/dashboard/${name}`, import.meta.url), "utf8");
const dashboard = read("verifier.json");
const alerts = read("alerts.yml");

let rig: Rig;
let metrics: ServiceMetrics;
beforeAll(async () => {
  metrics = new ServiceMetrics({ processMetrics: true });
  rig = await makeRig({ metrics });
});
afterAll(() => rig.app.close());

const scrape = async () => (await rig.ask({ method: "GET", url: "/metrics" })).body;
const measured = async (line: string) => {
  const found = (await scrape()).split("\n").find((one) => one.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length + 1));
};

describe("/metrics", () => {
  it("is text of the form that Prometheus reads", async () => {
    const answer = await rig.ask({ method: "GET", url: "/metrics" });
    expect(answer.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    for (const line of answer.body.trim().split("\n").filter(Boolean)) {
      expect(line).toMatch(/^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{\w+="[^"]*"(?:,\w+="[^"]*")*\})? [-+.\deNaInf]+)$/);
    }
  });

  it("names everything by the conventions: base units, totals of counters, what it is for", async () => {
    for (const { name, help, type } of await metrics.registry.getMetricsAsJSON()) {
      if (!name.startsWith("quiesce_verifier_")) continue;
      expect(help, name).toMatch(/^[A-Z].*\.$/);
      expect(/_total$/.test(name), name).toBe(String(type) === "counter");
      expect(name).not.toMatch(/_(?:ms|milliseconds|minutes|kb)\b/);
    }
  });

  it("counts requests by route and status, and never by address", async () => {
    await rig.ask(json("/v1/nonces", { ueid: UEID_HEX }));
    await rig.ask({ method: "GET", url: `/v1/orders/77` });
    await rig.ask({ method: "GET", url: "/somewhere/else" });
    expect(await measured('quiesce_verifier_http_requests_total{method="POST",route="/v1/nonces",status="201"}')).toBe(
      1,
    );
    expect(
      await measured('quiesce_verifier_http_requests_total{method="GET",route="/v1/orders/:epoch",status="404"}'),
    ).toBe(1);
    expect(await measured('quiesce_verifier_http_requests_total{method="other",route="none",status="404"}')).toBe(1);
    expect(await scrape()).not.toMatch(/somewhere|orders\/77/);
  });

  it("counts licenses and reports by what became of them, and refusals by code", async () => {
    await rig.ask(bytes("/v1/licenses", "application/eat+cwt", OBJECT));
    await rig.ask(bytes("/v1/reports", "application/eat+cwt", OBJECT));
    await rig.ask(json("/v1/nonces", {}));
    expect(await measured('quiesce_verifier_licenses_total{outcome="issued"}')).toBe(1);
    expect(await measured('quiesce_verifier_reports_total{outcome="taken"}')).toBe(1);
    expect(await measured("quiesce_verifier_report_batch_size_sum")).toBe(1);
    expect(await measured('quiesce_verifier_refusals_total{code="request/field"}')).toBe(1);
  });

  it("counts a report that is refused as a refusal too", async () => {
    const refusing = await makeRig({
      overrides: { reports: async () => [{ status: "refused", code: "report/gap", message: "" }] },
    });
    await refusing.ask(bytes("/v1/reports", "application/eat+cwt", OBJECT));
    const text = (await refusing.ask({ method: "GET", url: "/metrics" })).body;
    expect(text).toContain('quiesce_verifier_refusals_total{code="report/gap"} 1');
    await refusing.app.close();
  });

  it("knows every code, and puts what it does not know under one label", async () => {
    const counted = new ServiceMetrics();
    const codes = Object.keys({ ...VERIFIER_ERRORS, ...HTTP_PROBLEMS, ...AUTH_ERRORS, ...STORE_ERRORS });
    for (const code of codes) counted.refused(code);
    for (let i = 0; i < 100; i++) counted.refused(`made/up-${i}`);
    const { values } = (await counted.registry.getMetricsAsJSON()).find(({ name }) => name.endsWith("refusals_total"))!;
    expect(values).toHaveLength(codes.length + 1);
    expect(values.find(({ labels }) => labels.code === "other")?.value).toBe(100);
  });

  it("times what the service does, also where it refuses", async () => {
    const failing = await makeRig({
      overrides: {
        nonce: async () => {
          throw new VerifierError("device/unknown");
        },
      },
    });
    await failing.ask(json("/v1/nonces", { ueid: UEID_HEX }));
    const text = (await failing.ask({ method: "GET", url: "/metrics" })).body;
    expect(text).toContain('quiesce_verifier_service_call_duration_seconds_count{call="nonce"} 1');
    await failing.app.close();
  });

  it("says in which state the verifier is, also while its store does not answer", async () => {
    expect(await measured("quiesce_verifier_ready")).toBe(1);
    expect(await measured("quiesce_verifier_epoch")).toBe(1);
    expect(await measured("quiesce_verifier_agreement_version")).toBe(3);
    const away = async () => {
      throw new Error("away");
    };
    const broken = await makeRig({ overrides: { ready: away, about: away } });
    const answer = await broken.ask({ method: "GET", url: "/metrics" });
    expect([answer.statusCode, answer.body.includes("quiesce_verifier_ready 0")]).toEqual([200, true]);
    await broken.app.close();
  });

  it("says how far the log is published and cosigned, and by whom", async () => {
    expect(await measured("quiesce_verifier_log_size")).toBe(9);
    expect(await measured("quiesce_verifier_log_cosigned_size")).toBe(7);
    expect(await measured('quiesce_verifier_log_witness_size{witness="East"}')).toBe(0);
    metrics.published(0.01);
    expect(await measured("quiesce_verifier_log_publish_duration_seconds_count")).toBe(1);
  });

  it("has what a store says of its commits", async () => {
    metrics.committed(0.01, 17);
    expect(await measured("quiesce_verifier_store_commit_size_sum")).toBe(17);
    expect(await measured("quiesce_verifier_store_commit_duration_seconds_count")).toBe(1);
  });
});

describe.each([
  ["the dashboard", dashboard],
  ["the alerts", alerts],
])("%s", (_name, text) => {
  const names = new Set(text.match(/\b(?:quiesce_verifier|process|nodejs)_[a-z0-9_]+/g));

  it("asks for metrics that the app has, and for no others", async () => {
    const known = new Set((await metrics.registry.getMetricsAsJSON()).map(({ name }) => name));
    const isHistogram = (name: string) => known.has(name.replace(/_(?:bucket|sum|count)$/, ""));
    expect(names.size).toBeGreaterThan(5);
    expect([...names].filter((name) => !known.has(name) && !isHistogram(name))).toEqual([]);
  });

  it("asks by labels that they have", async () => {
    const labels = new Set([
      "le",
      "instance",
      "job",
      "method",
      "route",
      "status",
      "code",
      "outcome",
      "call",
      "witness",
    ]);
    const asked = [...text.matchAll(/\bby \(([^)]+)\)|[{,]\s*([a-z_]+)(?:=~?|!~?)\\?"/g)].flatMap(([, by, label]) =>
      (by ?? label!).split(",").map((name) => name.trim()),
    );
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.filter((label) => !labels.has(label))).toEqual([]);
  });

  it("asks by codes that there are", () => {
    const codes = new Set<string>(
      Object.keys({ ...VERIFIER_ERRORS, ...HTTP_PROBLEMS, ...AUTH_ERRORS, ...STORE_ERRORS }),
    );
    for (const [, list] of text.matchAll(/code=~"([^"]+)"/g)) {
      for (const code of list!.split("|")) if (!code.endsWith(".*")) expect([...codes]).toContain(code);
    }
  });
});

describe("the dashboard's panels", () => {
  const { panels, templating } = JSON.parse(dashboard) as {
    panels: {
      id: number;
      type: string;
      title: string;
      gridPos: { x: number; y: number; w: number; h: number };
      targets?: { expr: string }[];
    }[];
    templating: { list: { name: string }[] };
  };

  it("do not lie over one another, and each has a number, a title and a query of its own", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { title, type, targets, gridPos } of panels) {
      expect(title).not.toBe("");
      if (type !== "row") expect(targets!.length, title).toBeGreaterThan(0);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x}/${y}`), title).toBe(false);
          taken.add(`${x}/${y}`);
        }
      }
    }
  });

  it("use variables that the dashboard has", () => {
    const known = new Set([...templating.list.map(({ name }) => name), "__rate_interval", "__all"]);
    for (const [, name] of dashboard.matchAll(/\$\{?(\w+)\}?/g)) expect([...known]).toContain(name);
  });
});
