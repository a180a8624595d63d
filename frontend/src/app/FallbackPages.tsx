// Pages for what is not there, what may not be seen, and what broke.
import { FrownOutlined, LockOutlined } from "@ant-design/icons";
import { Link, useRouter, type ErrorComponentProps } from "@tanstack/react-router";
import { Button } from "antd";
import { useTranslation } from "react-i18next";
import { Empty, useWindowTitle } from "../components/Page";
import { LoadProblem } from "../components/Problem";

export function NotFoundPage() {
  const { t } = useTranslation();
  useWindowTitle(t("shell.notFound.title"));
  return (
    <main className="fallback">
      <h1 className="sr-only">{t("shell.notFound.title")}</h1>
      <Empty icon={<FrownOutlined />} title={t("shell.notFound.title")} text={t("shell.notFound.text")} action={<Link to="/" className="link-button">{t("shell.toOverview")}</Link>} />
    </main>
  );
}

/** What a person without the right sees: never an empty list. */
export function Forbidden({ text }: { text: string }) {
  const { t } = useTranslation();
  return <Empty icon={<LockOutlined />} title={t("shell.forbidden.title")} text={text} action={<Link to="/" className="link-button">{t("shell.toOverview")}</Link>} />;
}

export function PageCrash({ error, reset }: ErrorComponentProps) {
  const { t } = useTranslation();
  const router = useRouter();
  useWindowTitle(t("shell.crash"));
  return (
    <main className="fallback">
      <h1>{t("shell.crash")}</h1>
      <LoadProblem
        error={error}
        onRetry={() => {
          reset();
          void router.invalidate();
        }}
      />
      <p>
        <Button type="link" href="/">
          {t("shell.toOverview")}
        </Button>
      </p>
    </main>
  );
}
