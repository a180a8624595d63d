// The client's types are made from the API's document; a changed document without new types fails here.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";
import { expect, it } from "vitest";

it("the generated types are those of openapi.json", async () => {
  const document = new URL(`file://${join(import.meta.dirname, "../../openapi/openapi.json")}`);
  const generated = COMMENT_HEADER + astToString(await openapiTS(document));
  expect(readFileSync(join(import.meta.dirname, "../src/api/schema.d.ts"), "utf8") === generated, "run `npm run api`").toBe(true);
});
