// Asks before something is done to a cluster or a part of it, and leads to the operation's timeline.
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { deletePool, operateNode, repairCluster, rotateCredential, rotateEncryptionKey, type NodeVerb } from "../../api/clusters";
import type { Cluster, ClusterNode, NodePool, OperationAccepted } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Fault, faultOf } from "../../components/Problem";
import { useOperationStarted } from "./useOperationStarted";

/** What is asked for, and of what. */
export type Verb = { verb: "repair" | "rotate" | "rotateKey" } | { verb: NodeVerb; node: ClusterNode } | { verb: "deletePool"; pool: NodePool; nodes: ClusterNode[] };

function begin(id: string, wish: Verb): Promise<OperationAccepted> {
  switch (wish.verb) {
    case "repair":
      return repairCluster(id);
    case "rotate":
      return rotateCredential(id);
    case "rotateKey":
      return rotateEncryptionKey(id);
    case "deletePool":
      return deletePool(id, wish.pool.name);
    default:
      return operateNode(id, wish.node.id, wish.verb);
  }
}

/** What takes nothing away from anybody. */
const HARMLESS: readonly Verb["verb"][] = ["repair", "rotate", "rotateKey"];

/** A single control plane node is the whole control plane. */
function interrupts(wish: Verb, cluster: Cluster): boolean {
  return (wish.verb === "reboot" || wish.verb === "replace") && wish.node.role === "master" && cluster.masters_desired === 1;
}

export default function VerbDialog({ cluster, wish, onClose }: { cluster: Cluster; wish: Verb; onClose: () => void }) {
  const { t } = useTranslation();
  const started = useOperationStarted(cluster.id, onClose);
  const act = useMutation({ mutationFn: () => begin(cluster.id, wish), onSuccess: started });
  const name = "node" in wish ? wish.node.name : "pool" in wish ? wish.pool.name : cluster.name;
  const going = wish.verb === "deletePool" ? wish.nodes : [];
  return (
    <Dialog
      title={t(`cluster.verb.${wish.verb}.title`, { name })}
      okText={t(`cluster.verb.${wish.verb}.submit`)}
      cancelText={t("cluster.close")}
      okButtonProps={{ danger: !HARMLESS.includes(wish.verb), type: "primary", loading: act.isPending }}
      onOk={() => act.mutate()}
      onCancel={onClose}
    >
      <div className="stack">
        <p>{t(`cluster.verb.${wish.verb}.text`)}</p>
        {wish.verb === "rotateKey" && (
          <div className="fault fault-warn">
            <p className="fault-body">{t("cluster.verb.rotateKeyRounds", { count: cluster.masters_desired })}</p>
          </div>
        )}
        {interrupts(wish, cluster) && (
          <div className="fault fault-warn">
            <p className="fault-body">{t("cluster.verb.onlyMaster")}</p>
          </div>
        )}
        {going.length > 0 && (
          <div className="fault fault-warn">
            <div className="fault-body">
              <p className="fault-title">{t("cluster.pools.removes", { count: going.length })}</p>
              <ul className="tags">
                {going.map((node) => (
                  <li key={node.id} className="tag">
                    {node.name}
                  </li>
                ))}
              </ul>
            </div>
          </div>
        )}
        {act.error && <Fault alert fault={faultOf(act.error)} />}
      </div>
    </Dialog>
  );
}
