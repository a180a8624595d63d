// What may be asked of a cluster now.
import { describe, expect, it } from "vitest";
import { unchangeable } from "../src/api/clusters";
import type { Cluster, OperationBrief, Phase } from "../src/api/types";

function cluster(phase: Phase, operation?: Pick<OperationBrief, "kind" | "state">): Pick<Cluster, "status" | "operation"> {
  return { status: { phase, conditions: [], masters_ready: 1, nodes_ready: 1 }, operation: operation && { id: "o", progress: 0, ...operation } };
}

describe("a cluster", () => {
  it("takes changes while nothing else is under way", () => {
    expect(unchangeable(cluster("Running"))).toBeNull();
    expect(unchangeable(cluster("Degraded", { kind: "node_pool_resize", state: "failed" }))).toBeNull();
  });

  it("takes changes while it repairs itself", () => expect(unchangeable(cluster("Updating", { kind: "cluster_repair", state: "running" }))).toBeNull());

  it.each(["pending", "running", "blocked"] as const)("takes none while another operation is %s", (state) => {
    expect(unchangeable(cluster("Updating", { kind: "node_replace", state }))).toBe("busy");
  });

  it("takes none when it never came up or is going", () => {
    expect(unchangeable(cluster("Failed", { kind: "cluster_create", state: "failed" }))).toBe("failed");
    expect(unchangeable(cluster("Deleting"))).toBe("deleting");
  });
});
