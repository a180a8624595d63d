// API tokens of the project: what each may do and where, when it was last used and from where, and revoking it.
import { ApiOutlined, PlusOutlined } from "@ant-design/icons";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Button } from "antd";
import { lazy, Suspense, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { useClusters } from "../../api/clusters";
import { useMay, useSeesAllTokens } from "../../api/permissions";
import { useTokens } from "../../api/tokens";
import { VALIDITIES, type ApiToken } from "../../api/types";
import { Forbidden } from "../../app/FallbackPages";
import { DataTable, type Column } from "../../components/DataTable";
import { Card, Empty, Page } from "../../components/Page";
import { Status } from "../../components/Status";
import { Ago } from "../../components/Time";
import { Namespaces } from "../access/Namespaces";
import { validity } from "../access/validity";
import { NothingFound } from "../clusters/ClusterList";
import { Chips } from "../clusters/ListFilters";
import "./tokens.css";

const TokenDialog = lazy(() => import("./TokenDialog"));
const RevokeTokenDialog = lazy(() => import("./RevokeTokenDialog"));

export function TokensPage() {
  const { t } = useTranslation();
  const { state } = useSearch({ from: "/app/tokens" });
  const navigate = useNavigate({ from: "/tokens" });
  const seesAll = useSeesAllTokens();
  const mayCreate = useMay("token_create");
  const tokens = useTokens();
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<ApiToken | null>(null);
  const columns = useColumns(setRevoking);
  if (isApiError(tokens.error) && tokens.error.status === 403) {
    return (
      <Page title={t("token.title")}>
        <Card>
          <Forbidden text={t("token.forbidden")} />
        </Card>
      </Page>
    );
  }
  const create = mayCreate && (
    <Button type="primary" icon={<PlusOutlined aria-hidden="true" />} onClick={() => setCreating(true)}>
      {t("token.create")}
    </Button>
  );
  return (
    <Page title={t("token.title")} description={t("token.description")} actions={create}>
      <Card flush>
        <div className="toolbar">
          <Chips
            name={t("token.filter")}
            all={t("common.all")}
            options={VALIDITIES.map((value) => ({ value, label: t(`token.state.${value}`) }))}
            value={state}
            onChange={(next) => void navigate({ search: { state: next }, replace: true })}
          />
          <span className="muted small">{t(seesAll ? "token.seesAll" : "token.seesOwn")}</span>
        </div>
        <DataTable
          name={t("token.title")}
          columns={columns}
          rows={tokens.data?.items.filter((token) => state === undefined || validity(token) === state)}
          rowKey={(token) => token.id}
          error={tokens.error}
          onRetry={() => void tokens.refetch()}
          empty={
            state && tokens.data && tokens.data.items.length > 0 ? <NothingFound onClear={() => void navigate({ search: {} })} /> : <Empty icon={<ApiOutlined />} title={t("token.none")} text={t("token.noneText")} />
          }
        />
      </Card>
      <Suspense fallback={null}>
        {creating && <TokenDialog onClose={() => setCreating(false)} />}
        {revoking && <RevokeTokenDialog token={revoking} onClose={() => setRevoking(null)} />}
      </Suspense>
    </Page>
  );
}

function useColumns(onRevoke: (token: ApiToken) => void): Column<ApiToken>[] {
  const { t } = useTranslation();
  const seesAll = useSeesAllTokens();
  const mayRevoke = useMay("token_revoke");
  const clusters = useClusters({ limit: 200 });
  const named = useMemo(() => new Map(clusters.data?.items.map((cluster) => [cluster.id, cluster.name])), [clusters.data]);
  return [
    {
      key: "name",
      title: t("token.col.name"),
      main: true,
      render: (token) => (
        <div className="name-cell">
          <span className="break">{token.name}</span>
          <span className="small muted break">
            {token.created_by}
            {token.mine && ` ${t("kubeconfig.mine")}`}
          </span>
        </div>
      ),
    },
    { key: "state", title: t("clusters.col.status"), render: (token) => <State token={token} /> },
    { key: "may", title: t("token.col.may"), render: (token) => <MayDo token={token} /> },
    { key: "where", title: t("token.col.where"), render: (token) => <Where token={token} named={named} /> },
    { key: "used", title: t("kubeconfig.col.used"), render: (token) => <Used token={token} /> },
    {
      key: "act",
      title: t("cluster.actions"),
      render: (token) =>
        validity(token) === "valid" && mayRevoke && (seesAll || token.mine) ? (
          <Button size="small" danger aria-label={t("kubeconfig.revokeOf", { name: token.name })} onClick={() => onRevoke(token)}>
            {t("kubeconfig.revoke")}
          </Button>
        ) : (
          <span className="muted">—</span>
        ),
    },
  ];
}

function State({ token }: { token: ApiToken }) {
  const { t } = useTranslation();
  const state = validity(token);
  return (
    <div className="token-cell">
      <Status tone={state === "valid" ? "ok" : "off"}>{t(`token.state.${state}`)}</Status>
      <span className="small muted nowrap">
        {t(state === "revoked" ? "token.revokedAt" : state === "expired" ? "token.expiredAt" : "token.expiresAt")} <Ago time={state === "revoked" && token.revoked_at ? token.revoked_at : token.expires_at} />
      </span>
    </div>
  );
}

function MayDo({ token }: { token: ApiToken }) {
  const { t } = useTranslation();
  const { permissions } = token;
  if (!permissions) return <span>{t("token.mayOf.all")}</span>;
  if (permissions.length === 0) return <span>{t("token.mayOf.read")}</span>;
  const tags = (
    <span className="tags">
      {permissions.map((permission) => (
        <span key={permission} className="tag">
          {t(`permission.of.${permission}`)}
        </span>
      ))}
    </span>
  );
  if (permissions.length <= 3) return tags;
  return (
    <details className="token-more">
      <summary>{t("token.permissions", { count: permissions.length })}</summary>
      {tags}
    </details>
  );
}

function Where({ token, named }: { token: ApiToken; named: ReadonlyMap<string, string> }) {
  const { t } = useTranslation();
  return (
    <div className="token-cell">
      {token.clusters ? (
        <span className="tags">
          {token.clusters.map((id) =>
            named.has(id) ? (
              <Link key={id} to="/clusters/$id" params={{ id }}>
                {named.get(id)}
              </Link>
            ) : (
              <code key={id} className="id">
                {id}
              </code>
            ),
          )}
        </span>
      ) : (
        <span>{t("token.allClusters")}</span>
      )}
      <Namespaces names={token.namespaces} />
      <span className="small break">{token.cidrs.length > 0 ? token.cidrs.map((range) => <code key={range}>{range} </code>) : <span className="muted">{t("token.anyAddress")}</span>}</span>
    </div>
  );
}

function Used({ token }: { token: ApiToken }) {
  const { t } = useTranslation();
  if (!token.last_used_at) return <span className="muted">{t("kubeconfig.never")}</span>;
  return (
    <div className="token-cell">
      <Ago time={token.last_used_at} />
      {token.last_used_from && <code className="small muted break">{token.last_used_from}</code>}
    </div>
  );
}
