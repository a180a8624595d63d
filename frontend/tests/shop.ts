// A cluster that runs, whatever else a test wants of it.
import type { Cluster } from "../src/api/types";

export function running(spec: object, permission: Cluster["permissions"][number]): Cluster {
  return { id: "c1", name: "shop", spec, status: { phase: "Running", conditions: [] }, permissions: [permission], generation: 3, observed_generation: 3 } as unknown as Cluster;
}
