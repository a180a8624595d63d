// The words for states of our nouns, each with its tone.
import { useTranslation } from "react-i18next";
import type { ClusterNode, Condition, OperationState, Phase, Resource, ResourceHealth, Role } from "../api/types";
import { Status, type Tone } from "./Status";

export const phaseTone: Record<Phase, Tone> = {
  Provisioning: "busy",
  Running: "ok",
  Degraded: "warn",
  Updating: "busy",
  Deleting: "busy",
  Failed: "bad",
};

export function PhaseStatus({ phase }: { phase: Phase }) {
  const { t } = useTranslation();
  return <Status tone={phaseTone[phase]}>{t(`status.phase.${phase}`)}</Status>;
}

export const operationTone: Record<OperationState, Tone> = {
  pending: "wait",
  running: "busy",
  blocked: "warn",
  succeeded: "ok",
  failed: "bad",
  cancelled: "stopped",
};

export function OperationStatus({ state }: { state: OperationState }) {
  const { t } = useTranslation();
  return <Status tone={operationTone[state]}>{t(`status.operation.${state}`)}</Status>;
}

/** A false condition is no fault while the cluster is being made or taken away: nothing is red until it has failed. */
export function conditionTone(condition: Pick<Condition, "status">, phase: Phase): Tone {
  if (condition.status === "True") return "ok";
  if (condition.status === "Unknown") return phase === "Provisioning" ? "wait" : "unknown";
  return phase === "Provisioning" || phase === "Deleting" || phase === "Updating" ? "busy" : "bad";
}

const resourceTone: Record<Resource["state"], Tone> = { intended: "wait", unknown: "unknown", known: "ok", deleting: "busy", gone: "off", ambiguous: "bad" };

export function ResourceStatus({ resource }: { resource: Pick<Resource, "state"> }) {
  const { t } = useTranslation();
  return <Status tone={resourceTone[resource.state]}>{t(`status.resource.${resource.state}`)}</Status>;
}

/** How a cloud object is, and why it is not well; a reason the console does not know is shown as it is. */
export function ResourceHealthStatus({ health, phase }: { health: ResourceHealth; phase: Phase }) {
  const { t, i18n } = useTranslation();
  const tone = conditionTone(health, phase);
  const key = `status.objectReason.${health.reason}`;
  return (
    <>
      <Status tone={tone}>{t(`status.conditionStatus.${tone === "busy" ? "busy" : health.status}`)}</Status>
      {health.status !== "True" && <span className="small muted">{i18n.exists(key) ? t(key) : health.reason}</span>}
    </>
  );
}

/** A built-in role, or without one that of a role of the project's own. */
export function useRoleWord() {
  const { t } = useTranslation();
  return (role: Role | null | undefined): string => t(role ? `member.roleOf.${role}` : "member.ownRole");
}

export type NodeState = "removing" | "failed" | "ready" | "notReady" | "unknown" | "joining";

export function nodeState(node: ClusterNode): NodeState {
  if (node.removing) return "removing";
  if (node.ready === true) return "ready";
  if (node.fault) return "failed";
  // Its cluster answers, and finds it not ready or has lost sight of it. Without an answer nobody can tell.
  if (node.unready_since) return "notReady";
  if (node.joined_at) return "unknown";
  return node.ready === false && node.bootstrap.state === "done" ? "notReady" : "joining";
}

const nodeTone: Record<NodeState, Tone> = { removing: "busy", failed: "bad", ready: "ok", notReady: "warn", unknown: "unknown", joining: "busy" };

export function NodeStatus({ node }: { node: ClusterNode }) {
  const { t } = useTranslation();
  const state = nodeState(node);
  return <Status tone={nodeTone[state]}>{t(`status.node.${state}`)}</Status>;
}

/** The sentence for a condition's reason; a reason the console does not know is shown as it is. */
export function useReason() {
  const { t, i18n } = useTranslation();
  return (condition: Condition): string => {
    const key = `status.reason.${condition.reason}`;
    return i18n.exists(key) ? t(key, { message: condition.message }) : [condition.reason, condition.message].filter(Boolean).join(": ");
  };
}
