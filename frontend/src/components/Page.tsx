// The frame of a page: where one is, its one heading, what can be done, and the browser's title.
import { Link } from "@tanstack/react-router";
import { useEffect, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

export interface Crumb {
  label: string;
  to: string;
}

interface Props {
  title: string;
  /** Shown in place of the title's plain text. */
  heading?: ReactNode;
  /** Browser title, where it says more than the page's. */
  windowTitle?: string;
  crumbs?: Crumb[];
  status?: ReactNode;
  description?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

export function useWindowTitle(title: string): void {
  const { t } = useTranslation();
  const product = t("shell.product");
  useEffect(() => {
    document.title = `${title} · ${product}`;
  }, [title, product]);
}

export function Page({ title, heading, windowTitle, crumbs, status, description, actions, children }: Props) {
  const { t } = useTranslation();
  useWindowTitle(windowTitle ?? title);
  return (
    <div className="page">
      <header className="page-head">
        {crumbs && crumbs.length > 0 && (
          <nav aria-label={t("shell.breadcrumb")} className="crumbs">
            <ol>
              {crumbs.map((crumb) => (
                <li key={crumb.to}>
                  <Link to={crumb.to}>{crumb.label}</Link>
                </li>
              ))}
              <li aria-current="page">{title}</li>
            </ol>
          </nav>
        )}
        <div className="page-title-row">
          <div className="page-title">
            <h1>{heading ?? title}</h1>
            {status}
          </div>
          {actions && <div className="page-actions">{actions}</div>}
        </div>
        {description && <div className="page-description">{description}</div>}
      </header>
      {children}
    </div>
  );
}

interface CardProps {
  title?: ReactNode;
  extra?: ReactNode;
  children: ReactNode;
  className?: string;
  flush?: boolean;
}

export function Card({ title, extra, children, className = "", flush }: CardProps) {
  return (
    <section className={`card ${flush ? "card-flush" : ""} ${className}`}>
      {(title || extra) && (
        <div className="card-head">
          {title && <h2>{title}</h2>}
          {extra && <div className="card-extra">{extra}</div>}
        </div>
      )}
      <div className="card-body">{children}</div>
    </section>
  );
}

export function Loading({ rows = 3 }: { rows?: number }) {
  const { t } = useTranslation();
  return (
    <div className="loading" role="status" aria-label={t("common.loading")}>
      {Array.from({ length: rows }, (_, row) => (
        <span key={row} className="loading-line" style={{ width: `${92 - ((row * 23) % 45)}%` }} />
      ))}
    </div>
  );
}

interface EmptyProps {
  title: string;
  text?: ReactNode;
  action?: ReactNode;
  icon?: ReactNode;
}

export function Empty({ title, text, action, icon }: EmptyProps) {
  return (
    <div className="empty">
      {icon && (
        <div className="empty-icon" aria-hidden="true">
          {icon}
        </div>
      )}
      <p className="empty-title">{title}</p>
      {text && <div className="empty-text">{text}</div>}
      {action && <div className="empty-action">{action}</div>}
    </div>
  );
}

export function Definitions({ items }: { items: { label: string; value: ReactNode }[] }) {
  return (
    <dl className="definitions">
      {items.map((item) => (
        <div key={item.label}>
          <dt>{item.label}</dt>
          <dd>{item.value}</dd>
        </div>
      ))}
    </dl>
  );
}
