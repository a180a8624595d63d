// What operators set for the whole installation: a form over the configuration, tested before it is saved, and its history.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button } from "antd";
import { lazy, Suspense, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { installationKey, testSettings, useInstallation } from "../../api/installation";
import { useSession } from "../../api/session";
import type { AdminSettings, SettingsRequest, SettingsRevision } from "../../api/types";
import { Forbidden } from "../../app/FallbackPages";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { Card, Loading, Page } from "../../components/Page";
import { Fault, faultOf, LoadProblem } from "../../components/Problem";
import { StatusIcon } from "../../components/Status";
import { useToast } from "../../components/Toast";
import { focusField } from "../create/ErrorSummary";
import { CheckList } from "../create/PlanPanel";
import { useServerErrors } from "../create/usePlan";
import { AuthorizationSetting, ForwardSetting } from "./ForwardSetting";
import { History } from "./History";
import { TemplateSetting, VersionSetting } from "./OfferSettings";
import { PriceSetting } from "./PriceSetting";
import { NumberSetting } from "./Setting";
import { CLUSTER_LIMITS, controlOf, draftErrors, MOST, PROJECT_LIMITS, requestOf, valueOf, type LimitName, type SettingsDraft } from "./settingsDraft";
import { useSettingsDraft } from "./useSettingsDraft";
import "./settings.css";

const SaveDialog = lazy(() => import("./SaveDialog"));

export function SettingsPage() {
  const { t } = useTranslation();
  const { operator } = useSession();
  const settings = useInstallation(operator);
  if (!operator || (isApiError(settings.error) && settings.error.status === 403)) {
    return (
      <Page title={t("admin.settings.title")}>
        <Card>
          <Forbidden text={t("admin.forbidden")} />
        </Card>
      </Page>
    );
  }
  return (
    <Page title={t("admin.settings.title")} description={t("admin.settings.description")} crumbs={[]}>
      {settings.data ? (
        <div className="stack">
          {settings.error && <LoadProblem error={settings.error} onRetry={() => void settings.refetch()} />}
          <Settings settings={settings.data} />
        </div>
      ) : (
        <Card>{settings.error ? <LoadProblem error={settings.error} onRetry={() => void settings.refetch()} /> : <Loading rows={6} />}</Card>
      )}
    </Page>
  );
}

function Settings({ settings }: { settings: AdminSettings }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const notify = useToast();
  const { base, draft, setDraft, dirty, overtaken, begin, fill, catchUp } = useSettingsDraft(settings);
  const [tried, setTried] = useState(false);
  const [saving, setSaving] = useState<SettingsRequest | null>(null);
  const [replacement, setReplacement] = useState<SettingsRevision | null>(null);
  const test = useMutation({
    mutationFn: (request: SettingsRequest) => testSettings(request),
    // Somebody else has saved: who it was is said once it is looked again.
    onError: (error) => {
      if (isApiError(error) && error.code === "KCS-CONF-001") void queryClient.invalidateQueries({ queryKey: installationKey });
    },
  });
  const told = useServerErrors(test.data?.checks, test.error);
  const wrong = draftErrors(draft);
  const errors: Record<string, string> = { ...told };
  if (tried) for (const [key, word] of Object.entries(wrong)) errors[key] = t(word);
  const change = (part: Partial<SettingsDraft>) => {
    setDraft({ ...draft, ...part });
    test.reset();
  };
  const untested = () => {
    test.reset();
    setTried(false);
  };
  const run = (done: (request: SettingsRequest) => void) => {
    if (test.isPending) return;
    setTried(true);
    const first = Object.keys(wrong)[0];
    if (first) return focusField(`settings.${first}`);
    const request = requestOf(draft, base.revision);
    test.mutate(request, { onSuccess: (result) => (result.blocked ? focusField(`settings.${controlOf(result.checks.find((check) => check.level === "blocked")?.field ?? "")}`) : done(request)) });
    return undefined;
  };
  const replace = (revision: SettingsRevision) => {
    fill(revision.set);
    untested();
    window.scrollTo({ top: 0 });
    return t("admin.settings.history.used", { revision: revision.revision });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (dirty) run(setSaving);
  };
  return (
    <>
      {overtaken && (
        <Overtaken
          settings={settings}
          onCatchUp={() => {
            catchUp();
            untested();
          }}
        />
      )}
      <form className="stack" onSubmit={submit} noValidate aria-label={t("admin.settings.title")}>
        <Fields settings={settings} draft={draft} errors={errors} onChange={change} />
        {test.error && Object.keys(told).length === 0 && <Fault alert fault={faultOf(test.error)} />}
        {test.data && (
          <Card title={t("admin.settings.tested")}>
            <div role="status">
              <CheckList checks={test.data.checks} />
            </div>
          </Card>
        )}
        <p className="row">
          <Button type="primary" htmlType="submit" disabled={!dirty || overtaken} loading={test.isPending}>
            {t("admin.settings.save")}
          </Button>
          <Button disabled={test.isPending} onClick={() => run(() => undefined)}>
            {t("admin.settings.test")}
          </Button>
          {dirty && (
            <Button
              type="text"
              onClick={() => {
                begin(settings);
                untested();
              }}
            >
              {t("admin.settings.discard")}
            </Button>
          )}
        </p>
      </form>
      <History onUse={(revision) => (dirty ? setReplacement(revision) : notify(replace(revision)))} />
      {replacement && (
        <ConfirmDialog
          title={t("admin.settings.history.useTitle")}
          submit={t("admin.settings.history.use")}
          act={() => Promise.resolve(replace(replacement))}
          done={(said) => said}
          stale={[]}
          onClose={() => setReplacement(null)}
        >
          <p>{t("admin.settings.history.useText", { revision: replacement.revision })}</p>
        </ConfirmDialog>
      )}
      <Suspense fallback={null}>
        {saving && test.data && (
          <SaveDialog
            request={saving}
            test={test.data}
            onClose={() => setSaving(null)}
            onSaved={(saved) => {
              setSaving(null);
              untested();
              queryClient.setQueryData([...installationKey, "now"], saved);
              begin(saved);
            }}
          />
        )}
      </Suspense>
    </>
  );
}

interface FieldsProps {
  settings: AdminSettings;
  draft: SettingsDraft;
  errors: Record<string, string>;
  onChange: (part: Partial<SettingsDraft>) => void;
}

function Fields({ settings, draft, errors, onChange }: FieldsProps) {
  const { t } = useTranslation();
  const limit = (name: LimitName, none?: string) => (
    <NumberSetting
      key={name}
      value={valueOf(settings, `limits.${name}`)}
      draft={draft.limits[name]}
      most={MOST[name]}
      none={none}
      error={errors[`limits.${name}`]}
      onChange={(next) => onChange({ limits: { ...draft.limits, [name]: next } })}
    />
  );
  return (
    <>
      <Card title={t("admin.settings.group.projects")}>
        <p className="muted small">{t("admin.settings.groupText.projects")}</p>
        <div className="setting-grid">{PROJECT_LIMITS.map((name) => limit(name, t("admin.settings.none.limit")))}</div>
      </Card>
      <Card title={t("admin.settings.group.clusters")}>
        <div className="setting-grid">{CLUSTER_LIMITS.map((name) => limit(name))}</div>
      </Card>
      <Card title={t("admin.settings.group.offers")}>
        <p className="muted small">{t("admin.settings.groupText.offers")}</p>
        <div className="stack">
          <VersionSetting settings={settings} draft={draft} errors={errors} onChange={onChange} />
          <TemplateSetting settings={settings} draft={draft} errors={errors} onChange={onChange} />
        </div>
      </Card>
      <Card title={t("admin.settings.group.prices")}>
        <p className="muted small">{t("admin.settings.groupText.prices")}</p>
        <PriceSetting value={valueOf(settings, "prices")} draft={draft.prices} errors={errors} onChange={(prices) => onChange({ prices })} />
      </Card>
      <Card title={t("admin.settings.group.audit")}>
        <p className="muted small">{t("admin.settings.groupText.audit")}</p>
        <div className="stack">
          <NumberSetting
            value={valueOf(settings, "audit.retention_days")}
            draft={draft.retention}
            most={MOST.retention_days}
            none={t("admin.settings.none.retention")}
            error={errors["audit.retention_days"]}
            onChange={(retention) => onChange({ retention })}
          />
          <ForwardSetting settings={settings} draft={draft} errors={errors} onChange={onChange} />
          <AuthorizationSetting settings={settings} draft={draft} errors={errors} onChange={onChange} />
        </div>
      </Card>
    </>
  );
}

/** Somebody has saved while this was typed. */
function Overtaken({ settings, onCatchUp }: { settings: AdminSettings; onCatchUp: () => void }) {
  const { t } = useTranslation();
  return (
    <div className="fault fault-warn" role="alert">
      <StatusIcon tone="warn" />
      <div className="fault-body">
        <p className="fault-title break">{t("admin.settings.overtaken", { name: settings.changed_by ?? "", revision: settings.revision })}</p>
        <p className="fault-remedy">{t("admin.settings.overtakenText")}</p>
        <div className="fault-actions">
          <Button size="small" onClick={onCatchUp}>
            {t("admin.settings.catchUp")}
          </Button>
        </div>
      </div>
    </div>
  );
}
