// What carries a mark of KCS's in the cloud, or was made in a cluster that is gone, and has nobody to look after it: seen by operators, who decide on the doubtful.
import { CheckCircleOutlined } from "@ant-design/icons";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { useOrphans } from "../../api/orphans";
import { useSession } from "../../api/session";
import type { Orphan } from "../../api/types";
import { Forbidden } from "../../app/FallbackPages";
import { CopyButton } from "../../components/Copy";
import { DataTable, type Column } from "../../components/DataTable";
import { MenuButton, type MenuItem } from "../../components/MenuButton";
import { Card, Empty, Page } from "../../components/Page";
import { useErrorText } from "../../components/Problem";
import { Status } from "../../components/Status";
import { Ago } from "../../components/Time";
import { useToast } from "../../components/Toast";
import { useFormat } from "../../i18n/format";
import { orphanState, orphanTone } from "./orphanState";
import { useDecide } from "./useDecide";

const RemoveOrphanDialog = lazy(() => import("./RemoveOrphanDialog"));

export function OrphansPage() {
  const { t } = useTranslation();
  const { operator } = useSession();
  const orphans = useOrphans(operator);
  const [removing, setRemoving] = useState<Orphan | null>(null);
  const columns = useColumns(setRemoving);
  if (!operator || (isApiError(orphans.error) && orphans.error.status === 403)) {
    return (
      <Page title={t("admin.orphans.title")}>
        <Card>
          <Forbidden text={t("admin.forbidden")} />
        </Card>
      </Page>
    );
  }
  return (
    <Page title={t("admin.orphans.title")} description={t("admin.orphans.description")} crumbs={[]}>
      <Card flush>
        <DataTable
          name={t("admin.orphans.title")}
          columns={columns}
          rows={orphans.data?.items}
          rowKey={(orphan) => orphan.id}
          error={orphans.error}
          onRetry={() => void orphans.refetch()}
          detail={(orphan) =>
            orphan.fault && (
              <figure className="fault-words">
                <figcaption>{t("error.ownWords")}</figcaption>
                <pre tabIndex={0}>{orphan.fault}</pre>
              </figure>
            )
          }
          empty={<Empty icon={<CheckCircleOutlined />} title={t("admin.orphans.none")} text={t("admin.orphans.noneText")} />}
        />
      </Card>
      <Suspense fallback={null}>{removing && <RemoveOrphanDialog orphan={removing} onClose={() => setRemoving(null)} />}</Suspense>
    </Page>
  );
}

function useColumns(onRemove: (orphan: Orphan) => void): Column<Orphan>[] {
  const { t } = useTranslation();
  return [
    {
      key: "object",
      title: t("admin.orphans.col.object"),
      main: true,
      width: "28%",
      render: (orphan) => (
        <div className="name-cell">
          <span className="break">{orphan.name}</span>
          <span className="small muted break">
            {t(`operation.kindOf.${orphan.kind}`)} <code>{orphan.cloud_id}</code>
            <CopyButton text={orphan.cloud_id} what={orphan.name} />
          </span>
        </div>
      ),
    },
    { key: "project", title: t("clusters.col.project"), render: (orphan) => <span className="nowrap">{orphan.project.name}</span> },
    { key: "cluster", title: t("admin.orphans.col.cluster"), render: (orphan) => orphan.cluster_name ?? <code className="small break">{orphan.cluster}</code> },
    { key: "verdict", title: t("admin.orphans.col.verdict"), width: "18%", render: (orphan) => t(`audit.verdict.${orphan.verdict}`) },
    { key: "seen", title: t("admin.orphans.col.seen"), render: (orphan) => <Seen orphan={orphan} /> },
    { key: "state", title: t("admin.orphans.col.state"), render: (orphan) => <State orphan={orphan} /> },
    { key: "act", title: t("cluster.actions"), render: (orphan) => <Actions orphan={orphan} onRemove={onRemove} /> },
  ];
}

function Seen({ orphan }: { orphan: Orphan }) {
  const { t } = useTranslation();
  return (
    <div className="name-cell">
      <Ago time={orphan.first_seen_at} />
      <span className="small muted">{t("admin.orphans.looks", { count: orphan.looks })}</span>
    </div>
  );
}

function State({ orphan }: { orphan: Orphan }) {
  const { t } = useTranslation();
  const { absolute } = useFormat();
  const state = orphanState(orphan);
  return (
    <div className="name-cell">
      <Status tone={orphanTone[state]}>{t(`admin.orphans.state.${state}`)}</Status>
      {state === "waiting" && <span className="small muted">{t("admin.orphans.notBefore", { time: absolute(orphan.not_before) })}</span>}
      {orphan.decided_by && <span className="small muted">{t("admin.orphans.decidedBy", { name: orphan.decided_by })}</span>}
    </div>
  );
}

function Actions({ orphan, onRemove }: { orphan: Orphan; onRemove: (orphan: Orphan) => void }) {
  const { t } = useTranslation();
  const notify = useToast();
  const errorText = useErrorText();
  const decide = useDecide();
  const items: MenuItem[] = [];
  if (orphan.decision !== "keep") {
    const keep = () => decide.mutate({ orphan, decision: "keep" }, { onError: (error) => notify(errorText(error), "bad") });
    items.push({ key: "keep", label: t("admin.orphans.keep"), onSelect: keep });
  }
  if (orphan.decision !== "delete") items.push({ key: "remove", label: t("admin.orphans.remove"), danger: true, onSelect: () => onRemove(orphan) });
  return (
    <MenuButton floating className="menu-outlined menu-small" label={t("cluster.actions")} name={t("admin.orphans.actionsOf", { name: orphan.name })} items={items} disabled={decide.isPending} />
  );
}
