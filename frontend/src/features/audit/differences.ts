// What a line of the audit log says besides who and when: a change as pairs of before and after, and all other facts.

export type Plain = string | number | boolean | null;
export type Value = Plain | Plain[];

export interface Difference {
  path: string[];
  before?: Value;
  after?: Value;
  changed: boolean;
}

export interface Fact {
  path: string[];
  value: Value;
}

type Fields = Record<string, unknown>;

const isPlain = (value: unknown): value is Plain => value === null || ["string", "number", "boolean"].includes(typeof value);

const fields = (value: unknown): Fields => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {});

/** What was given to somebody in a place: the role, by where that is. */
function given(member: Fields, path: string[]): Fact | undefined {
  const { cluster, namespace, role } = member;
  if (typeof cluster !== "string" || typeof role !== "string") return undefined;
  return { path: [...path, cluster, ...(typeof namespace === "string" ? [namespace] : [])], value: role };
}

/** Single values by the path to them. Members of a list go by their place, name or version where they have one. */
function flatten(value: unknown, path: string[] = []): Fact[] {
  if (isPlain(value)) return [{ path, value }];
  if (Array.isArray(value)) {
    if (value.every(isPlain)) return [{ path, value }];
    return value.flatMap((member: unknown, index) => {
      const place = given(fields(member), path);
      if (place) return [place];
      const { name, ...rest } = fields(member);
      if (typeof name === "string") return flatten(rest, [...path, name]);
      const { version, ...other } = fields(member);
      return typeof version === "string" ? flatten(other, [...path, version]) : flatten(member, [...path, String(index + 1)]);
    });
  }
  return Object.entries(fields(value)).flatMap(([key, inner]) => flatten(inner, [...path, key]));
}

/** Both sides of a change in the same terms. A wish and what it put aside come in terms of their own; a patch names only what it changes. */
function sides(before: Fields, after: Fields): [Fields, Fields] {
  if (!("wish" in after)) return [before, { ...before, ...after }];
  const { wish, ...asked } = after;
  const { undo, ...was } = before;
  if (undo !== "pool") return [was, asked];
  const pool = fields(was.before);
  if (wish === "node_pool_create") return [{}, fields(asked.pool)];
  if (wish === "node_pool_delete") return [pool, {}];
  return [{ pool: was.name, count: pool.count }, asked];
}

const empty = (value: Value | undefined) => value === undefined || value === null || (Array.isArray(value) && value.length === 0);
const same = (a: Value | undefined, b: Value | undefined) => (empty(a) && empty(b)) || JSON.stringify(a) === JSON.stringify(b);

/** The change that a line tells of, value by value; without what is empty on both sides. */
export function differences(detail: Fields): Difference[] {
  const [before, after] = sides(fields(detail.before), fields(detail.after));
  const rows = new Map<string, Difference>();
  for (const { path, value } of flatten(before)) rows.set(path.join("\n"), { path, before: value, changed: true });
  for (const { path, value } of flatten(after)) rows.set(path.join("\n"), { ...rows.get(path.join("\n")), path, after: value, changed: true });
  return [...rows.values()].filter((row) => !empty(row.before) || !empty(row.after)).map((row) => ({ ...row, changed: !same(row.before, row.after) }));
}

/** All that is neither a change nor a call, nor the object's name, which stands in the line. */
export function facts(detail: Fields): Fact[] {
  const { before: _before, after: _after, method: _method, path: _path, command: _command, name: _name, ...rest } = detail;
  return flatten(rest).filter((fact) => !empty(fact.value));
}

export interface Call {
  method: string;
  path: string;
  command?: string;
}

/** The call to a cluster that a line tells of. */
export function callOf(detail: Fields): Call | null {
  const { method, path, command } = detail;
  if (typeof method !== "string" || typeof path !== "string") return null;
  return { method, path, ...(typeof command === "string" && command !== "" && { command }) };
}

/** What the object was called. */
export function nameOf(detail: Fields): string | undefined {
  return typeof detail.name === "string" && detail.name !== "" ? detail.name : undefined;
}
