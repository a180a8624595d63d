// Words that only a newer program knows: an operation of a kind, or at a step, that this page has no text for.
import i18next from "i18next";
import { expect, it } from "vitest";
import { startTexts } from "../src/i18n";

it("are said to be of a newer version, and no key is shown", async () => {
  await startTexts();
  const newer = i18next.t("operation.newer");
  expect(newer).not.toContain("operation.");
  for (const key of ["operation.kind.etcd_defragment", "operation.step.first_backup"]) expect(i18next.t(key)).toBe(newer);
  for (const key of ["operation.kind.cluster_create", "operation.step.network"]) expect([newer, key]).not.toContain(i18next.t(key));
  expect(i18next.exists("operation.kind.etcd_defragment")).toBe(false);
});
