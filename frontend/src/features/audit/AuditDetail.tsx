// One line of the log, opened: the change side by side, the call, all other facts, and the ids.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useRoles } from "../../api/members";
import { useSession } from "../../api/session";
import { useTokens } from "../../api/tokens";
import type { AuditLine } from "../../api/types";
import { CopyButton } from "../../components/Copy";
import { Definitions } from "../../components/Page";
import { useFormat } from "../../i18n/format";
import { callOf, differences, facts, type Difference, type Plain, type Value } from "./differences";
import type { AuditChoice } from "./filter";

interface Props {
  line: AuditLine;
  id: string;
  /** Names of clusters by id. */
  named: ReadonlyMap<string, string>;
  withProject: boolean;
  change: (part: AuditChoice) => void;
}

export default function AuditDetail({ line, id, named, withProject, change }: Props) {
  const { t } = useTranslation();
  const rows = differences(line.detail);
  const call = callOf(line.detail);
  const rest = facts(line.detail);
  const valueText = useValueText(line, named);
  const pathText = usePathText(named);
  // Who was not let in is a name only, and of no project.
  const person = line.user.id || line.user.name;
  const narrow: [string, AuditChoice][] = [
    ...(line.via === "engine" || !person ? [] : [[t("audit.onlyPerson"), { user: person }] satisfies [string, AuditChoice]]),
    [t("audit.onlyAction"), { action: line.action }],
    ...(line.cluster ? [[t("audit.onlyCluster"), { cluster: line.cluster }] satisfies [string, AuditChoice]] : []),
    ...(withProject && line.project.id ? [[t("audit.onlyProject"), { project: line.project.id }] satisfies [string, AuditChoice]] : []),
  ];
  return (
    <div id={id} className="audit-detail">
      {rows.length > 0 && <Changes rows={rows} valueText={valueText} pathText={pathText} />}
      {call && (
        <dl className="audit-facts">
          <Fact name={t("audit.key.path")}>
            <code className="break">
              {call.method} {call.path}
            </code>
          </Fact>
          {call.command && (
            <Fact name={t("audit.key.command")}>
              <code className="break">{call.command}</code>
            </Fact>
          )}
        </dl>
      )}
      {rest.length > 0 && (
        <dl className="audit-facts">
          {rest.map((fact) => (
            <Fact key={fact.path.join("/")} name={pathText(fact.path)}>
              {valueText(fact.value, fact.path)}
            </Fact>
          ))}
        </dl>
      )}
      <Ids line={line} withProject={withProject} />
      <p className="row small">
        {narrow.map(([text, part]) => (
          <button key={text} type="button" className="text-button" onClick={() => change(part)}>
            {text}
          </button>
        ))}
      </p>
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface ChangesProps {
  rows: Difference[];
  valueText: ReturnType<typeof useValueText>;
  pathText: ReturnType<typeof usePathText>;
}

/** What is new alone where nothing was before, else both sides. */
function Changes({ rows, valueText, pathText }: ChangesProps) {
  const { t } = useTranslation();
  const sided = rows.some((row) => row.before !== undefined);
  const gone = sided && rows.every((row) => row.after === undefined);
  return (
    <div className="audit-changes" role="region" aria-label={t("audit.change")} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("audit.field")}</th>
            {sided && <th scope="col">{t("audit.before")}</th>}
            {!gone && <th scope="col">{t(sided ? "audit.after" : "audit.asked")}</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.path.join("/")} className={sided && !row.changed ? "muted" : undefined}>
              <th scope="row">{pathText(row.path)}</th>
              {sided && <td>{row.changed && row.before !== undefined ? <del>{valueText(row.before, row.path)}</del> : valueText(row.before, row.path)}</td>}
              {!gone && <td>{sided && row.changed && row.after !== undefined ? <ins>{valueText(row.after, row.path)}</ins> : valueText(row.after, row.path)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Ids({ line, withProject }: { line: AuditLine; withProject: boolean }) {
  const { t } = useTranslation();
  const { project } = useSession();
  const own = line.project.id === project.id;
  const items = [
    line.request_id && { label: t("error.requestId"), value: <Id text={line.request_id} what={t("error.requestId")} /> },
    line.user.id && { label: t("audit.personId"), value: <Id text={line.user.id} what={t("audit.personId")} /> },
    line.object_id !== line.user.id && { label: t("audit.objectId"), value: <Id text={line.object_id} what={t("audit.objectId")} /> },
    line.via_id && { label: t(line.via === "kubeconfig" ? "audit.viaKubeconfig" : "audit.viaToken"), value: <Via line={line} id={line.via_id} own={own} /> },
    withProject && line.project.id && { label: t("audit.projectId"), value: <Id text={line.project.id} what={t("audit.projectId")} /> },
    { label: t("audit.lineId"), value: <span className="numeric">{line.id}</span> },
  ];
  return <Definitions items={items.filter((item) => typeof item === "object" && item !== null)} />;
}

function Id({ text, what }: { text: string; what: string }) {
  return (
    <span className="copyable">
      <code>{text}</code>
      <CopyButton text={text} what={what} />
    </span>
  );
}

/** Which token or kubeconfig it was, by its name where the reader may see it. */
function Via({ line, id, own }: { line: AuditLine; id: string; own: boolean }) {
  const { t } = useTranslation();
  const isToken = line.via === "api_token";
  const tokens = useTokens(own && isToken);
  const name = tokens.data?.items.find((token) => token.id === id)?.name;
  return (
    <>
      {name && <strong>{name} </strong>}
      <Id text={id} what={t(isToken ? "audit.viaToken" : "audit.viaKubeconfig")} />{" "}
      {own && isToken && (
        <Link to="/tokens" search={{}}>
          {t("audit.toTokens")}
        </Link>
      )}
      {own && !isToken && line.cluster && (
        <Link to="/clusters/$id/kubeconfigs" params={{ id: line.cluster }}>
          {t("audit.toKubeconfigs")}
        </Link>
      )}
    </>
  );
}

/** A path as words, outermost first; what has no word keeps the API's. */
function usePathText(named: ReadonlyMap<string, string>) {
  const { t, i18n } = useTranslation();
  const word = (part: string): string => {
    const found = [`audit.key.${part}`, `cluster.addons.nameOf.${part}`].find((key) => i18n.exists(key));
    return found ? t(found) : part;
  };
  // Below places come a cluster and a namespace, whatever they are called.
  const words = ([first = "", ...rest]: string[]) => [word(first), ...rest.map((part) => (first === PLACES ? (named.get(part) ?? part) : word(part)))];
  return (path: string[]): string => words(path).join(" › ");
}

/** Where it stands what somebody was given in which place. */
const PLACES = "places";

/** Where the word for a value may be, by the field it is of. */
function wordsOf(field: string, value: string): string[] {
  switch (field) {
    case "kind":
      return [`operation.kind.${value}`, `operation.kindOf.${value}`];
    case "repair":
      return [`create.repairOf.${value}`];
    case "level":
      return [`create.apiAuditOf.${value}`];
    case "exposure":
      return [`create.exposureOf.${value}`];
    case "verdict":
      return [`audit.verdict.${value}`];
    case "decision":
      return [`audit.decisionOf.${value}`];
    case "permissions":
      return [`permission.of.${value}`];
    case "role":
    case PLACES:
      return [`member.roleOf.${value}`];
    case "volumes":
      return [`audit.fateOf.${value}`];
    default:
      return [];
  }
}

function useValueText(line: AuditLine, named: ReadonlyMap<string, string>) {
  const { t, i18n } = useTranslation();
  const { absolute, amount } = useFormat();
  const { project } = useSession();
  const roles = useRoles(line.project.id === project.id && line.action.startsWith("member_"));
  const names = new Map([...named, ...(roles.data?.items ?? []).map((role) => [role.id, role.name] as const)]);
  const one = (value: Plain, key: string): string => {
    if (value === null) return "—";
    if (typeof value === "boolean") return t(value ? "audit.yes" : "audit.no");
    if (typeof value === "number") return key === "expires_at" ? absolute(new Date(value * 1000).toISOString()) : amount(value);
    const found = wordsOf(key, value).find((candidate) => i18n.exists(candidate));
    return found ? t(found) : (names.get(value) ?? value);
  };
  return (value: Value | undefined, path: string[]): string => {
    const key = (path[0] === PLACES ? PLACES : path.at(-1)) ?? "";
    if (value === undefined) return "—";
    if (!Array.isArray(value)) return one(value, key);
    return value.length === 0 ? "—" : value.map((member) => one(member, key)).join(t("create.comma"));
  };
}
