// @ts-check
// Adds up what the first page (the cluster list) loads, compressed, from the manifest of the build, and fails above the budget.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const BUDGET = 300_000;
const dist = fileURLToPath(new URL("../dist/", import.meta.url));

/** @type {Record<string, { file: string, css?: string[], imports?: string[], dynamicImports?: string[] }>} */
const manifest = JSON.parse(readFileSync(`${dist}.vite/manifest.json`, "utf8"));

/** @type {Set<string>} */
const files = new Set();

/** @param {string} name */
function add(name) {
  const chunk = manifest[name];
  if (!chunk) throw new Error(`${name} is not in the manifest of the build`);
  if (files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const css of chunk.css ?? []) files.add(css);
  for (const needed of chunk.imports ?? []) add(needed);
}

add("index.html");
// The texts of one language are loaded too; the larger one is counted.
const languages = Object.keys(manifest).filter((name) => name.includes("/locales/"));
const size = (/** @type {string} */ file) => gzipSync(readFileSync(dist + file)).length;
const largest = languages.toSorted((a, b) => size(manifest[b].file) - size(manifest[a].file))[0];
if (!largest) throw new Error("the build has no texts");
add(largest);
files.add("theme.js");
// A cluster list that became a lazy page would be missing here otherwise.
const list = Object.keys(manifest).find((name) => name.endsWith("ClusterListPage.tsx"));
if (list) add(list);

const sizes = [...files].map((file) => ({ file, size: size(file) })).toSorted((a, b) => b.size - a.size);
const total = sizes.reduce((sum, entry) => sum + entry.size, 0);
for (const entry of sizes.slice(0, 8)) console.log(`${String(entry.size).padStart(8)}  ${entry.file}`);
console.log(`${String(total).padStart(8)}  in all, gzip, ${files.size} files; budget ${BUDGET}`);
if (total > BUDGET) {
  console.error(`the first page is ${total - BUDGET} bytes over its budget`);
  process.exit(1);
}
