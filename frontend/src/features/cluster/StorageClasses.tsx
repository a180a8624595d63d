// Storage classes: what volumes claims get, which class those get that name none, and making one's own.
import { HddOutlined, PlusOutlined } from "@ant-design/icons";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button } from "antd";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { may } from "../../api/permissions";
import { chooseDefaultClass, classesKey, deleteStorageClass, useStorageClasses } from "../../api/storage";
import type { Cluster, StorageClass } from "../../api/types";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { DataTable, type Column } from "../../components/DataTable";
import { MenuButton, type MenuItem } from "../../components/MenuButton";
import { Card, Empty } from "../../components/Page";
import { useErrorText } from "../../components/Problem";
import { Ago } from "../../components/Time";
import { useToast } from "../../components/Toast";

const StorageClassDialog = lazy(() => import("./StorageClassDialog"));

/** A word of Kubernetes' in the reader's language; others are shown as they are. */
export function useStorageWord() {
  const { t, i18n } = useTranslation();
  return (area: "reclaimOf" | "bindingOf", word: string): string => (i18n.exists(`storage.${area}.${word}`) ? t(`storage.${area}.${word}`) : word);
}

export function StorageClasses({ cluster }: { cluster: Cluster }) {
  const { t } = useTranslation();
  const word = useStorageWord();
  const classes = useStorageClasses(cluster.id, true);
  const [dialog, setDialog] = useState<"create" | StorageClass | null>(null);
  const changes = may(cluster, "kubernetes_write");
  const items = classes.data?.items;
  const columns: Column<StorageClass>[] = [
    {
      key: "name",
      title: t("storage.name"),
      main: true,
      render: (storage) => (
        <span className="tags">
          <span className="break">{storage.name}</span>
          {storage.default && <span className="tag">{t("storage.default")}</span>}
          {storage.managed && <span className="tag">{t("storage.ofAddon")}</span>}
        </span>
      ),
    },
    { key: "type", title: t("create.volumeType"), render: (storage) => storage.volume_type ?? <code className="id">{storage.provisioner}</code> },
    { key: "reclaim", title: t("storage.reclaim"), render: (storage) => word("reclaimOf", storage.reclaim_policy) },
    { key: "binding", title: t("storage.binding"), render: (storage) => word("bindingOf", storage.binding) },
    { key: "expandable", title: t("storage.expandable"), render: (storage) => t(storage.expandable ? "storage.yes" : "storage.no") },
    { key: "created", title: t("clusters.col.created"), render: (storage) => (storage.created_at ? <Ago time={storage.created_at} /> : <span className="muted">—</span>) },
  ];
  if (changes) {
    columns.push({ key: "act", title: t("cluster.actions"), render: (storage) => <ClassActions cluster={cluster} storage={storage} onDelete={() => setDialog(storage)} /> });
  }
  return (
    <Card
      flush
      title={t("storage.classes")}
      extra={
        changes && (
          <Button size="small" icon={<PlusOutlined aria-hidden="true" />} onClick={() => setDialog("create")}>
            {t("storage.create")}
          </Button>
        )
      }
    >
      <div className="toolbar">
        <p className="muted">{t(items && items.length > 0 && !items.some((storage) => storage.default) ? "storage.noDefault" : "storage.text")}</p>
      </div>
      <DataTable
        name={t("storage.classes")}
        columns={columns}
        rows={items}
        rowKey={(storage) => storage.name}
        error={classes.error}
        onRetry={() => void classes.refetch()}
        empty={<Empty icon={<HddOutlined />} title={t("storage.none")} text={t("storage.noneText")} />}
      />
      <Suspense fallback={null}>{dialog === "create" && <StorageClassDialog cluster={cluster} onClose={() => setDialog(null)} />}</Suspense>
      {dialog && dialog !== "create" && (
        <ConfirmDialog
          title={t("storage.deleteTitle", { name: dialog.name })}
          submit={t("cluster.delete")}
          act={() => deleteStorageClass(cluster.id, dialog.name)}
          done={() => t("storage.deleted", { name: dialog.name })}
          stale={[classesKey(cluster.id)]}
          onClose={() => setDialog(null)}
        >
          <p>{t("storage.deleteText")}</p>
          {dialog.default && <p>{t("storage.deleteDefault")}</p>}
        </ConfirmDialog>
      )}
    </Card>
  );
}

function ClassActions({ cluster, storage, onDelete }: { cluster: Cluster; storage: StorageClass; onDelete: () => void }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const notify = useToast();
  const errorText = useErrorText();
  const choose = useMutation({
    mutationFn: () => chooseDefaultClass(cluster.id, storage.name),
    onSuccess: () => notify(t("storage.chosen", { name: storage.name })),
    onError: (error) => notify(errorText(error), "bad"),
    onSettled: () => void queryClient.invalidateQueries({ queryKey: classesKey(cluster.id) }),
  });
  const items: MenuItem[] = [
    ...(storage.default ? [] : [{ key: "default", label: t("storage.choose"), onSelect: () => choose.mutate() }]),
    { key: "delete", label: t("cluster.delete"), danger: true, unavailable: storage.managed ? t("storage.again") : undefined, onSelect: onDelete },
  ];
  return <MenuButton floating className="menu-outlined menu-small" label={t("cluster.actions")} name={t("storage.actionsOf", { name: storage.name })} items={items} />;
}
