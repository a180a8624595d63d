// Logs: lines out of pieces, the newest kept, and the address they are read from.
import { describe, expect, it } from "vitest";
import { append, LineCutter, logUrl, type LogLine } from "../src/features/cluster/logStream";

describe("LineCutter", () => {
  it("puts lines together however they arrive", () => {
    const text = "one\r\ntwo\n\nthree";
    for (let size = 1; size <= text.length; size += 1) {
      const cutter = new LineCutter();
      const lines: string[] = [];
      for (let at = 0; at < text.length; at += size) lines.push(...cutter.push(text.slice(at, at + size)));
      expect([...lines, ...cutter.end()], `cut by ${size}`).toEqual(["one", "two", "", "three"]);
    }
  });
});

describe("append", () => {
  it("keeps the newest lines under their own numbers", () => {
    let lines: LogLine[] = [];
    lines = append(lines, ["a", "b", "c"], 4);
    lines = append(lines, ["d", "e"], 4);
    expect(lines.map((line) => `${line.number}${line.text}`)).toEqual(["2b", "3c", "4d", "5e"]);
  });
});

describe("logUrl", () => {
  const query = { clusterId: "c", namespace: "default", pod: "web/../x", previous: false, timestamps: true, tailLines: 10, container: "app" };

  it("follows, and lets no name leave its place in the path", () => {
    expect(logUrl(query)).toBe("/k8s/clusters/c/api/v1/namespaces/default/pods/web%2F..%2Fx/log?tailLines=10&follow=true&timestamps=true&container=app");
  });

  it("does not follow a run that has ended", () => {
    expect(logUrl({ ...query, previous: true, container: undefined, timestamps: false })).toMatch(/\?tailLines=10&previous=true$/);
  });
});
