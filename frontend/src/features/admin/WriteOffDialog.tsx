// Writes off a cluster whose project is gone: the name typed first, and afterwards the receipt of what was recorded, to keep.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Input } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { writeOffCluster } from "../../api/clusters";
import type { Cluster } from "../../api/types";
import { saveFile } from "../../components/Copy";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Fault, faultOf } from "../../components/Problem";
import { ReceiptGroups } from "../operations/Receipt";
import "../operations/operations.css";
import { queueStale } from "../queue/useQueueDeed";

export default function WriteOffDialog({ cluster, onClose }: { cluster: Cluster; onClose: () => void }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const [typed, setTyped] = useState("");
  const { id, name, project } = cluster;
  const deed = useMutation({
    mutationFn: () => writeOffCluster(id, typed),
    // Also after a refusal: what was asked about may be otherwise by now.
    onSettled: () => {
      for (const queryKey of queueStale) void queryClient.invalidateQueries({ queryKey });
    },
  });
  const receipt = deed.data;
  if (receipt) {
    return (
      <Dialog
        width={720}
        title={t("admin.writeOff.done", { name })}
        okText={t("operation.receipt.download")}
        cancelText={t("kubeconfig.done")}
        onOk={() => saveFile(`receipt-${name}.json`, JSON.stringify({ cluster: { id, name }, project, ...receipt }, null, 2), "application/json")}
        onCancel={onClose}
      >
        <div className="stack">
          <p>
            {t("admin.writeOff.keep")}{" "}
            <Link to="/admin/operations" search={{ kind: "cluster_delete" }}>
              {t("admin.writeOff.later")}
            </Link>
          </p>
          <ReceiptGroups receipt={receipt} />
        </div>
      </Dialog>
    );
  }
  const matches = typed === name;
  return (
    <Dialog
      width={720}
      title={t("admin.writeOff.title", { name })}
      okText={t("admin.writeOff.submit")}
      okButtonProps={{ danger: true, type: "primary", disabled: !matches, loading: deed.isPending }}
      cancelText={t("cluster.close")}
      onOk={() => deed.mutate()}
      onCancel={onClose}
    >
      <div className="stack">
        <p>{t("admin.writeOff.text", { project: project.name })}</p>
        <p>{t("admin.writeOff.cloud")}</p>
        <Field label={t("cluster.del.type", { name })} error={typed !== "" && !name.startsWith(typed) ? t("cluster.del.mismatch") : undefined}>
          {(field) => <Input {...field} autoComplete="off" spellCheck={false} value={typed} onChange={(event) => setTyped(event.target.value)} onPressEnter={() => matches && !deed.isPending && deed.mutate()} />}
        </Field>
        {deed.error && <Fault alert fault={faultOf(deed.error)} />}
      </div>
    </Dialog>
  );
}
