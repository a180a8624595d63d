// The tools at the right of the header.
import { BulbOutlined, ProjectOutlined, SyncOutlined, TranslationOutlined, UserOutlined } from "@ant-design/icons";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useRouter } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { running, useOperations } from "../api/operations";
import { forgetData, sessionKey, signOut, switchProject, useSession } from "../api/session";
import { MenuButton } from "../components/MenuButton";
import { useErrorText } from "../components/Problem";
import { useToast } from "../components/Toast";
import { useRoleWord } from "../components/words";
import { LANGUAGES, THEMES, useSettings } from "./settings";

/** How many operations are under way in the project. */
export function RunningOperations() {
  const { t } = useTranslation();
  const operations = useOperations({ limit: 50 });
  const count = operations.data?.items.filter((operation) => running(operation.state)).length ?? 0;
  if (count === 0) return null;
  return (
    <Link to="/operations" className="running-badge" aria-label={t("shell.runningOperations", { count })}>
      <SyncOutlined spin aria-hidden="true" />
      <span className="numeric">{count}</span>
    </Link>
  );
}

export function ProjectMenu() {
  const { t } = useTranslation();
  const session = useSession();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const notify = useToast();
  const errorText = useErrorText();
  const enter = async (id: string) => {
    if (id === session.project.id) return;
    try {
      const next = await switchProject(id);
      // Objects of the old project do not exist in the new one, so the address of one would be an error page.
      await navigate({ to: "/clusters", search: {} });
      forgetData(queryClient);
      queryClient.setQueryData(sessionKey, next);
      notify(t("shell.projectSwitched", { project: next.project.name }));
    } catch (error) {
      notify(errorText(error), "bad");
    }
  };
  return (
    <MenuButton
      className="project-menu"
      icon={<ProjectOutlined />}
      label={session.project.name}
      name={t("shell.projectIs", { project: session.project.name })}
      items={session.projects.map((project, index) => ({
        key: project.id,
        group: index === 0 && session.application_credential ? t("shell.boundToProject", { credential: session.application_credential }) : undefined,
        label: project.name,
        checked: project.id === session.project.id,
        onSelect: () => void enter(project.id),
      }))}
    />
  );
}

export function Language() {
  const { t } = useTranslation();
  const { language, setLanguage } = useSettings();
  return (
    <MenuButton
      className="compact-menu"
      icon={<TranslationOutlined />}
      label={t(`shell.language.${language}`)}
      name={t("shell.languageIs", { language: t(`shell.language.${language}`) })}
      items={LANGUAGES.map((item) => ({ key: item, label: t(`shell.language.${item}`), checked: item === language, onSelect: () => setLanguage(item) }))}
    />
  );
}

export function ThemeMenu() {
  const { t } = useTranslation();
  const { theme, setTheme } = useSettings();
  return (
    <MenuButton
      className="compact-menu"
      icon={<BulbOutlined />}
      label={t(`shell.theme.${theme}`)}
      name={t("shell.themeIs", { theme: t(`shell.theme.${theme}`) })}
      items={THEMES.map((item) => ({ key: item, label: t(`shell.theme.${item}`), checked: item === theme, onSelect: () => setTheme(item) }))}
    />
  );
}

export function AccountMenu() {
  const { t } = useTranslation();
  const session = useSession();
  const router = useRouter();
  const queryClient = useQueryClient();
  const notify = useToast();
  const errorText = useErrorText();
  const leave = async () => {
    try {
      await signOut();
    } catch (error) {
      notify(errorText(error), "bad");
      return;
    }
    await router.navigate({ to: "/sign-in", search: {} });
    queryClient.removeQueries({ queryKey: sessionKey });
    forgetData(queryClient);
  };
  const role = useRoleWord()(session.roles[0]);
  const credential = session.application_credential;
  const words = [session.user.name, ...(credential ? [t("shell.byCredential", { credential })] : []), ...(session.operator ? [t("shell.operator")] : []), role];
  return (
    <MenuButton
      icon={<UserOutlined />}
      className="compact-menu"
      label={session.user.name}
      name={t("shell.accountOf", { user: session.user.name })}
      items={[{ key: "out", label: t("shell.signOut"), group: words.join(" · "), onSelect: () => void leave() }]}
    />
  );
}
