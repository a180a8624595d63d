// Texts: both languages complete and alike, every enum and error code of the backend with words, nothing unused, no sentence in the code.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import zh from "../src/locales/zh-CN";
import zhOperator from "../src/locales/zh-CN/operator";
import { en } from "./english";

const root = join(import.meta.dirname, "..");

type Tree = { [key: string]: string | Tree };

function flatten(tree: Tree, prefix = ""): Map<string, string> {
  const all = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    const path = prefix ? `${prefix}.${key}` : key;
    if (typeof value === "string") all.set(path, value);
    else for (const [inner, text] of flatten(value, path)) all.set(inner, text);
  }
  return all;
}

const texts = { "zh-CN": flatten({ ...zh, ...zhOperator } as Tree), "en-US": flatten(en as Tree) };
const withoutPlural = (key: string) => key.replace(/_(one|other)$/, "");
const keys = new Set([...texts["zh-CN"].keys()].map(withoutPlural));

const placeholders = (text: string) => [...new Set([...text.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map((match) => match[1]))].toSorted();

function sources(folder: string): { path: string; text: string }[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.parentPath.includes("locales") && entry.name !== "schema.d.ts")
    .map((entry) => ({ path: join(entry.parentPath, entry.name), text: readFileSync(join(entry.parentPath, entry.name), "utf8") }));
}

const code = sources("src");
const schemas = (JSON.parse(readFileSync(join(root, "../openapi/openapi.json"), "utf8")) as { components: { schemas: Record<string, { enum?: string[] }> } }).components.schemas;

describe("both languages", () => {
  it("have the same keys", () => {
    expect([...new Set([...texts["en-US"].keys()].map(withoutPlural))].toSorted()).toEqual([...keys].toSorted());
  });

  it("have plurals where one of them needs them", () => {
    for (const key of texts["en-US"].keys()) {
      if (key.endsWith("_one")) expect(texts["en-US"].has(`${withoutPlural(key)}_other`), key).toBe(true);
    }
    for (const key of texts["zh-CN"].keys()) expect(key.endsWith("_one"), `${key}: Chinese has no singular`).toBe(false);
  });

  it("have the same placeholders", () => {
    for (const [key, text] of texts["zh-CN"]) {
      const other = texts["en-US"].get(key);
      expect(other, key).toBeDefined();
      expect(placeholders(other ?? ""), key).toEqual(placeholders(text));
    }
  });

  it("have no empty text", () => {
    for (const language of ["zh-CN", "en-US"] as const) for (const [key, text] of texts[language]) expect(text.trim(), `${language} ${key}`).not.toBe("");
  });

  it("say Chinese things in Chinese and English ones in English", () => {
    const sameOnPurpose = new Set(["shell.language.zh-CN"]);
    for (const [key, text] of texts["en-US"]) if (!sameOnPurpose.has(key)) expect(/[\u4e00-\u9fff]/.test(text), key).toBe(false);
  });
});

describe("the code", () => {
  it("has no Chinese outside the locales", () => {
    for (const { path, text } of code) expect(/[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]/.test(text), path).toBe(false);
  });

  it("uses no key that does not exist", () => {
    for (const { path, text } of code) {
      for (const match of text.matchAll(/\bt\(\s*"([^"]+)"/g)) expect(keys.has(match[1] ?? ""), `${path}: ${match[1]}`).toBe(true);
    }
  });

  it("uses every key there is", () => {
    const literals = new Set<string>();
    const patterns: RegExp[] = [];
    for (const { text } of code) {
      for (const match of text.matchAll(/"([a-z][\w-]*(?:\.[\w-]+)+)"/g)) literals.add(match[1] ?? "");
      for (const match of text.matchAll(/`([a-z][\w-]*\.[^`]*\$\{[^`]*)`/g)) {
        const pattern = (match[1] ?? "").replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, "\u0000").replaceAll(/[.*+?^$()|[\]\\]/g, String.raw`\$&`).replaceAll("\u0000", "[^.]+");
        patterns.push(new RegExp(`^${pattern}$`));
      }
    }
    const unused = [...keys].filter((key) => !literals.has(key) && !patterns.some((pattern) => pattern.test(key)));
    expect(unused).toEqual([]);
  });
});

describe("every word of the backend", () => {
  const codes = [...readFileSync(join(root, "../backend/domain/src/codes.rs"), "utf8").matchAll(/= "(KCS-[A-Z]+-\d+)"/g)].map((match) => match[1] ?? "");

  it("error codes have title and remedy", () => {
    expect(codes.length).toBeGreaterThan(40);
    for (const found of codes) for (const part of ["title", "remedy"]) expect(keys.has(`error.${found}.${part}`), `${found} ${part}`).toBe(true);
  });

  it("no text is left of a code that is gone", () => {
    const known = new Set(codes);
    for (const key of keys) {
      const match = /^(?:error|create\.detail)\.(KCS-[A-Z]+-\d+)/.exec(key);
      if (match) expect(known.has(match[1] ?? ""), key).toBe(true);
    }
  });

  it.each([
    ["OperationKind", "operation.kind"],
    ["OperationState", "status.operation"],
    ["StepKey", "operation.step"],
    ["StepState", "status.step"],
    ["Phase", "status.phase"],
    ["ConditionType", "status.condition"],
    ["ConditionStatus", "status.conditionStatus"],
    ["ResourceKind", "operation.kindOf"],
    ["ResourceState", "status.resource"],
    ["CheckLevel", "create.level"],
    ["TaintEffect", "create.effectOf"],
    ["Addon", "cluster.addons.nameOf"],
    ["Addon", "cluster.addons.textOf"],
    ["AddonState", "status.addon"],
    ["RepairPolicy", "create.repairOf"],
    ["ApiAuditLevel", "create.apiAuditOf"],
    ["ApiAuditLevel", "create.apiAuditHint"],
    ["KeyStep", "admin.keys.stepOf"],
    ["KeyStep", "admin.keys.stepText"],
    ["Verdict", "audit.verdict"],
    ["Decision", "admin.orphans.said"],
    ["Limited", "create.quota"],
    ["QuotaRequestState", "quota.state"],
    ["QuotaAnswer", "admin.tenants"],
    ["HeldKind", "admin.people.kindOf"],
    ["StorageReclaim", "storage.reclaimOf"],
    ["StorageBinding", "storage.bindingOf"],
  ])("%s", (name, prefix) => {
    const values = schemas[name]?.enum ?? [];
    expect(values.length, `${name} in openapi.json`).toBeGreaterThan(1);
    for (const value of values) expect(keys.has(`${prefix}.${value}`), `${prefix}.${value}`).toBe(true);
  });

  it("what a step waits for, and a condition's reason", () => {
    const folder = join(root, "../backend/domain/src/plan");
    const steps = readFileSync(join(folder, "steps.rs"), "utf8");
    const waiting = /fn waiting_for[\s\S]*?\n {4}\}/.exec(steps)?.[0] ?? "";
    const waitingWords = [...waiting.matchAll(/"([A-Z]\w+)"/g)].map((match) => match[1]);
    expect(waitingWords.length).toBeGreaterThan(5);
    for (const word of waitingWords) expect(keys.has(`operation.waiting.${word}`), `operation.waiting.${word}`).toBe(true);
    const reasons = [...readFileSync(join(folder, "status.rs"), "utf8").matchAll(/"([A-Z][a-z]+\w*)"/g)].map((match) => match[1]);
    expect(reasons.length).toBeGreaterThan(5);
    for (const reason of reasons) expect(keys.has(`status.reason.${reason}`), `status.reason.${reason}`).toBe(true);
  });

  it("why a cloud object is not well", () => {
    const source = ["plan/objects.rs", "health.rs"].map((file) => readFileSync(join(root, "../backend/domain/src", file), "utf8")).join("");
    const reasons = new Set([...source.matchAll(/"([A-Z][a-z]+\w*)"/g)].map((match) => match[1]));
    reasons.delete("Well");
    expect(reasons.size).toBeGreaterThan(5);
    for (const reason of reasons) expect(keys.has(`status.objectReason.${reason}`), `status.objectReason.${reason}`).toBe(true);
  });

  it("what a plan checks and counts", () => {
    const files = ["api/src/plan.rs", "api/src/clusters.rs", "api/src/service_clouds.rs", "api/src/size_plans.rs", "domain/src/preflight.rs", "domain/src/tenants.rs"];
    const plan = files.map((file) => readFileSync(join(root, "../backend", file), "utf8")).join("");
    for (const match of plan.matchAll(/conclude\("(\w+)"/g)) expect(keys.has(`create.check.${match[1]}`), match[1]).toBe(true);
    const needs = readFileSync(join(root, "../backend/domain/src/needs.rs"), "utf8");
    for (const match of needs.matchAll(/add\("(\w+)"/g)) expect(keys.has(`create.quota.${match[1]}`), match[1]).toBe(true);
  });
});
