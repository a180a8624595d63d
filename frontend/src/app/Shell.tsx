// The frame of every page behind the sign-in: product path, project, running operations, settings, menu.
import { MenuOutlined } from "@ant-design/icons";
import { useQueryClient } from "@tanstack/react-query";
import { Outlet, useLocation, useRouter } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { onSessionEnd } from "../api/client";
import { LiveContext, useLiveStream } from "../api/live";
import { forgetData, sessionKey, useSession } from "../api/session";
import { Announcements } from "./Announcements";
import { DevNotice } from "./DevNotice";
import { AccountMenu, Language, ProjectMenu, RunningOperations, ThemeMenu } from "./HeaderMenus";
import { Logo } from "./Logo";
import { SideMenu } from "./SideMenu";

export function Shell() {
  const { t } = useTranslation();
  const live = useLiveStream();
  const [menuOpen, setMenuOpen] = useState(false);
  const menuButton = useRef<HTMLButtonElement>(null);
  const path = useLocation({ select: (location) => location.pathname });
  useSessionEnd();
  useProjectChange();

  useEffect(() => setMenuOpen(false), [path]);
  useFocusOnPageChange(path);

  useEffect(() => {
    if (!menuOpen) return undefined;
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      setMenuOpen(false);
      menuButton.current?.focus();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [menuOpen]);

  return (
    <LiveContext value={live}>
      <a href="#content" className="skip-link">
        {t("shell.skip")}
      </a>
      <header className="top">
        <button
          type="button"
          ref={menuButton}
          className="icon-button top-menu"
          aria-label={menuOpen ? t("shell.closeMenu") : t("shell.openMenu")}
          aria-expanded={menuOpen}
          aria-controls="side-menu"
          onClick={() => setMenuOpen(!menuOpen)}
        >
          <MenuOutlined aria-hidden="true" />
        </button>
        <div className="top-brand">
          <Logo />
          <p className="product-path">
            <span>{t("shell.path.products")}</span>
            <span aria-hidden="true">/</span>
            <span>{t("shell.path.containers")}</span>
            <span aria-hidden="true">/</span>
            <strong>{t("shell.product")}</strong>
          </p>
        </div>
        <div className="top-tools">
          <RunningOperations />
          <ProjectMenu />
          <Language />
          <ThemeMenu />
          <AccountMenu />
        </div>
      </header>
      <div className="body">
        <div id="side-menu" className={`side ${menuOpen ? "side-open" : ""}`}>
          <SideMenu />
        </div>
        {menuOpen && <div className="side-veil" onClick={() => setMenuOpen(false)} aria-hidden="true" />}
        <main id="content" className="content" tabIndex={-1}>
          <Announcements />
          <DevNotice />
          <Outlet />
        </main>
      </div>
    </LiveContext>
  );
}

/** After a page change by menu or header the keyboard goes on in the new page, not in the old place. */
function useFocusOnPageChange(path: string): void {
  const known = useRef(path);
  useEffect(() => {
    if (known.current === path) return;
    known.current = path;
    const content = document.getElementById("content");
    if (content && !content.contains(document.activeElement)) content.focus({ preventScroll: true });
  }, [path]);
}

/** Back to the sign-in when the session is over, and afterwards to where one was. */
function useSessionEnd(): void {
  const router = useRouter();
  const queryClient = useQueryClient();
  useEffect(
    () =>
      onSessionEnd(() => {
        const next = router.state.location.href;
        if (router.state.location.pathname === "/sign-in") return;
        void router.navigate({ to: "/sign-in", search: { next, reason: "expired" } }).then(() => {
          queryClient.removeQueries({ queryKey: sessionKey });
          forgetData(queryClient);
        });
      }),
    [router, queryClient],
  );
}

/** Another tab may switch the project of the session: what is shown must be of the same project as what is done. */
function useProjectChange(): void {
  const queryClient = useQueryClient();
  const project = useSession().project.id;
  const known = useRef(project);
  useEffect(() => {
    if (known.current === project) return;
    known.current = project;
    void queryClient.resetQueries({ predicate: (query) => query.queryKey[0] !== sessionKey[0] && query.queryKey[0] !== "about" });
  }, [project, queryClient]);
}
