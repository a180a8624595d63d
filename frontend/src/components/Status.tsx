// A status: icon, word and colour, so that colour is never the only signal.
import {
  CheckCircleFilled,
  ClockCircleOutlined,
  CloseCircleFilled,
  ExclamationCircleFilled,
  LoadingOutlined,
  MinusCircleOutlined,
  QuestionCircleOutlined,
  StopOutlined,
} from "@ant-design/icons";
import type { ReactNode } from "react";

export type Tone = "ok" | "busy" | "warn" | "bad" | "wait" | "off" | "unknown" | "stopped";

const icons: Record<Tone, ReactNode> = {
  ok: <CheckCircleFilled />,
  busy: <LoadingOutlined />,
  warn: <ExclamationCircleFilled />,
  bad: <CloseCircleFilled />,
  wait: <ClockCircleOutlined />,
  off: <MinusCircleOutlined />,
  unknown: <QuestionCircleOutlined />,
  stopped: <StopOutlined />,
};

export function StatusIcon({ tone }: { tone: Tone }) {
  return (
    <span className={`status-icon tone-${tone}`} aria-hidden="true">
      {icons[tone]}
    </span>
  );
}

export function Status({ tone, children, title }: { tone: Tone; children: ReactNode; title?: string }) {
  return (
    <span className={`status tone-${tone}`} title={title}>
      <StatusIcon tone={tone} />
      <span>{children}</span>
    </span>
  );
}
