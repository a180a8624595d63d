// Labels and taints of a node or a pool as a form has them: those that people may change, and what a change of theirs is.
import type { KubernetesNode, NodeMarks, PoolMarks, Taint } from "../../api/types";

export interface MarksDraft {
  labels: { key: string; value: string }[];
  taints: Taint[];
}

/** Of `key=value:NoSchedule`, as a node's are shown. */
function taintOf(text: string): Taint {
  const colon = text.lastIndexOf(":");
  const [key = "", value = ""] = text.slice(0, colon).split("=");
  return { key, value, effect: text.slice(colon + 1) as Taint["effect"] };
}

/** What of a node's labels and taints is people's own. */
export function marksOf(node: KubernetesNode): MarksDraft {
  const own = ({ key }: { key: string }) => !node.reserved.includes(key);
  const labels = Object.entries(node.labels).map(([key, value]) => ({ key, value }));
  return { labels: labels.filter(own), taints: node.taints.map(taintOf).filter(own) };
}

const trimmed = <Row extends { key: string; value?: string }>(row: Row) => ({ ...row, key: row.key.trim(), value: row.value?.trim() ?? "" });

/** What a form has besides empty rows, without blanks around it. */
function filled({ labels, taints }: MarksDraft): MarksDraft {
  return { labels: labels.map(trimmed).filter((label) => label.key), taints: taints.map(trimmed).filter((taint) => taint.key) };
}

/** All of what is in the form, as a pool has it. */
export function poolMarks(draft: MarksDraft): PoolMarks {
  const { labels, taints } = filled(draft);
  return { labels: Object.fromEntries(labels.map(({ key, value }) => [key, value])), taints };
}

const same = (one: Taint, other: Taint) => one.key === other.key && one.effect === other.effect;

/** The change from what was there to what is in the form; null: there is none. What others change meanwhile is left alone. */
export function changeOf(before: MarksDraft, draft: MarksDraft): NodeMarks | null {
  const { labels, taints } = filled(draft);
  const was = new Map(before.labels.map(({ key, value }) => [key, value]));
  const wanted = new Map(labels.map(({ key, value }) => [key, value]));
  const gone = before.labels.filter(({ key }) => !wanted.has(key)).map(({ key }) => [key, null] as const);
  const set = [...wanted].filter(([key, value]) => was.get(key) !== value);
  const change = {
    labels: Object.fromEntries<string | null>([...gone, ...set]),
    taints: taints.filter((taint) => !before.taints.some((known) => same(known, taint) && (known.value ?? "") === taint.value)),
    remove_taints: before.taints.filter((known) => !taints.some((taint) => same(known, taint))).map(({ key, effect }) => ({ key, effect })),
  };
  return Object.keys(change.labels).length + change.taints.length + change.remove_taints.length > 0 ? change : null;
}
