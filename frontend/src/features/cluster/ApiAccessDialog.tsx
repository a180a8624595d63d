// Choosing who may connect to a cluster's API, with a word to who would shut themselves out.
import { useMutation } from "@tanstack/react-query";
import { Input } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { changeApiAccess } from "../../api/clusters";
import { useSession } from "../../api/session";
import type { ApiExposure, Cluster } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Fault, faultOf } from "../../components/Problem";
import { allowedCidrsError, parseCidr, parseIp, splitList } from "../create/draft";
import { useOperationStarted } from "./useOperationStarted";
import { WayChoices } from "./WayChoices";

const EXPOSURES = ["public", "restricted"] as const satisfies readonly ApiExposure[];

/** Whether an address is in none of the ranges; what is no IPv4 address is no client of a floating IP, and says nothing. */
function outside(address: string | null | undefined, cidrs: string[]): boolean {
  const own = parseIp(address ?? "");
  return own !== null && !cidrs.map(parseCidr).some((range) => range !== null && range.from <= own && own <= range.to);
}

export default function ApiAccessDialog({ cluster, onClose }: { cluster: Cluster; onClose: () => void }) {
  const { t } = useTranslation();
  const { address } = useSession();
  const now = cluster.spec.api?.exposure ?? "public";
  const ranges = cluster.spec.api?.allowed_cidrs ?? [];
  const [exposure, setExposure] = useState<ApiExposure>(now);
  const [text, setText] = useState(ranges.join(", "));
  const started = useOperationStarted(cluster.id, onClose);
  const wanted = exposure === "restricted" ? splitList(text) : [];
  const change = useMutation({ mutationFn: () => changeApiAccess(cluster.id, exposure, wanted), onSuccess: started });
  const wrong = exposure === "restricted" ? allowedCidrsError(text) : undefined;
  // What was asked for and did not come about can be asked for again.
  const idle = exposure === now && wanted.join() === ranges.join() && cluster.observed_generation === cluster.generation;
  return (
    <Dialog
      title={t("create.exposure")}
      okText={t("cluster.apiAccess.change")}
      cancelText={t("cluster.close")}
      okButtonProps={{ disabled: idle || wrong !== undefined, loading: change.isPending }}
      onOk={() => change.mutate()}
      onCancel={onClose}
    >
      <div className="stack">
        <WayChoices
          name="exposure"
          legend={<legend className="sr-only">{t("create.exposure")}</legend>}
          ways={EXPOSURES}
          now={now}
          chosen={exposure}
          label={(way) => t(`create.exposureOf.${way}`)}
          hint={(way) => t(`create.exposureHint.${way}`)}
          onChoose={(way) => {
            setExposure(way);
            change.reset();
          }}
        />
        {exposure === "restricted" && (
          <Field label={t("create.allowedCidrs")} hint={t("create.allowedCidrsHint")} error={wrong && text.trim() !== "" ? t(wrong) : undefined}>
            {(field) => (
              <Input
                {...field}
                className="code"
                spellCheck={false}
                value={text}
                onChange={(event) => {
                  setText(event.target.value);
                  change.reset();
                }}
              />
            )}
          </Field>
        )}
        {exposure === "restricted" && !wrong && outside(address, wanted) && (
          <div className="fault fault-warn" role="status">
            <p className="fault-body">{t("cluster.apiAccess.outside", { address })}</p>
          </div>
        )}
        <p className="muted">{t("cluster.apiAccess.cut")}</p>
        {change.error && <Fault alert fault={faultOf(change.error)} />}
      </div>
    </Dialog>
  );
}
