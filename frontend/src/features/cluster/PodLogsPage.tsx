// A pod's log as it is written: follow, pause, filter, wrap, download.
import { DownloadOutlined, PauseOutlined, PlayCircleOutlined, VerticalAlignBottomOutlined } from "@ant-design/icons";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { Button, Input } from "antd";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { usePods } from "../../api/kubernetes";
import { saveFile } from "../../components/Copy";
import { Card } from "../../components/Page";
import { LoadProblem } from "../../components/Problem";
import { Select } from "../../components/Select";
import { Status } from "../../components/Status";
import { useFormat } from "../../i18n/format";
import { append, followLog, type LogLine, type LogState } from "./logStream";

/** Lines kept in the page; what is older has scrolled away and is counted as dropped. */
const LIMIT = 20_000;
const TAIL = 1_000;

export function PodLogsPage() {
  const { t } = useTranslation();
  const { id, namespace, pod } = useParams({ from: "/app/clusters/$id/pods/$namespace/$pod/logs" });
  const search = useSearch({ from: "/app/clusters/$id/pods/$namespace/$pod/logs" });
  const navigate = useNavigate({ from: "/clusters/$id/pods/$namespace/$pod/logs" });
  const pods = usePods(id, { namespace, search: pod, limit: 10 }, true);
  const found = pods.data?.items.find((candidate) => candidate.name === pod);
  const container = search.container ?? found?.containers.find((candidate) => !candidate.init)?.name;
  const [previous, setPrevious] = useState(false);
  const [timestamps, setTimestamps] = useState(false);
  const ready = found !== undefined || pods.error !== null || pods.isFetched;
  return (
    <Card
      flush
      title={
        <>
          {t("workload.logsOf", { pod })} <span className="muted small">{namespace}</span>
        </>
      }
      extra={
        <Link to="/clusters/$id/workloads" params={{ id }} search={{ kind: "pods", namespace }}>
          {t("workload.backToPods")}
        </Link>
      }
    >
      <div className="toolbar">
        {found && found.containers.length > 1 && (
          <Select
            aria-label={t("workload.container")}
            value={container ?? ""}
            onChange={(next) => void navigate({ search: { container: next }, replace: true })}
            options={found.containers.map((candidate) => ({ value: candidate.name, label: candidate.init ? `${candidate.name} (init)` : candidate.name }))}
          />
        )}
        <label className="check">
          <input type="checkbox" checked={timestamps} onChange={(event) => setTimestamps(event.target.checked)} />
          <span>{t("workload.timestamps")}</span>
        </label>
        <label className="check">
          <input type="checkbox" checked={previous} onChange={(event) => setPrevious(event.target.checked)} />
          <span>{t("workload.previous")}</span>
        </label>
      </div>
      {ready && (
        <LogViewer
          key={`${container ?? ""}/${previous}/${timestamps}`}
          query={{ clusterId: id, namespace, pod, container, previous, timestamps, tailLines: TAIL }}
          fileName={`${pod}${container ? `-${container}` : ""}.log`}
        />
      )}
    </Card>
  );
}

interface ViewerProps {
  query: Parameters<typeof followLog>[0];
  fileName: string;
}

function useLog(query: ViewerProps["query"], paused: boolean) {
  const [lines, setLines] = useState<LogLine[]>([]);
  const [state, setState] = useState<LogState>("connecting");
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  const held = useRef<LogLine[]>([]);
  const pausedNow = useRef(paused);
  pausedNow.current = paused;
  const text = JSON.stringify(query);
  useEffect(() => {
    const abort = new AbortController();
    held.current = [];
    setLines([]);
    setError(null);
    let frame = 0;
    // Lines are shown once a frame, however fast they come; while paused they are only kept.
    const show = () => {
      frame = 0;
      if (!pausedNow.current) setLines(held.current);
    };
    followLog(JSON.parse(text) as ViewerProps["query"], {
      signal: abort.signal,
      onLines: (added) => {
        held.current = append(held.current, added, LIMIT);
        frame ||= requestAnimationFrame(show);
      },
      onState: setState,
    }).catch((failure: unknown) => {
      if (abort.signal.aborted) return;
      setError(failure);
      setState("ended");
    });
    return () => {
      abort.abort();
      cancelAnimationFrame(frame);
    };
  }, [text, attempt]);
  useEffect(() => {
    if (!paused) setLines(held.current);
  }, [paused]);
  return { lines, state, error, retry: () => setAttempt((old) => old + 1) };
}

function LogViewer({ query, fileName }: ViewerProps) {
  const { t } = useTranslation();
  const { amount } = useFormat();
  const [paused, setPaused] = useState(false);
  const [wrap, setWrap] = useState(true);
  const [filter, setFilter] = useState("");
  const [atEnd, setAtEnd] = useState(true);
  const { lines, state, error, retry } = useLog(query, paused);
  const shown = useMemo(() => {
    const needle = filter.toLowerCase();
    return needle === "" ? lines : lines.filter((line) => line.text.toLowerCase().includes(needle));
  }, [lines, filter]);
  const box = useRef<HTMLDivElement>(null);
  const touched = useRef(0);
  useEffect(() => {
    const element = box.current;
    const byHand = () => {
      touched.current = Date.now();
    };
    const kinds = ["wheel", "touchmove", "pointerdown", "keydown"];
    for (const kind of kinds) element?.addEventListener(kind, byHand, { passive: true });
    return () => {
      for (const kind of kinds) element?.removeEventListener(kind, byHand);
    };
  }, []);
  const rows = useVirtualizer({ count: shown.length, getScrollElement: () => box.current, estimateSize: () => 20, overscan: 20, getItemKey: (index) => shown[index]?.number ?? index });
  const height = rows.getTotalSize();
  // Lines get their true height when they are drawn, so the end moves a little more after each jump to it.
  useEffect(() => {
    if (atEnd && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [shown, atEnd, height]);
  return (
    <>
      <div className="toolbar">
        <Input className="search-box" aria-label={t("workload.filterLines")} placeholder={t("workload.filterLines")} allowClear value={filter} onChange={(event) => setFilter(event.target.value)} />
        <div className="row">
          <Button icon={paused ? <PlayCircleOutlined aria-hidden="true" /> : <PauseOutlined aria-hidden="true" />} onClick={() => setPaused(!paused)}>
            {paused ? t("workload.resume") : t("workload.pause")}
          </Button>
          <Button icon={<DownloadOutlined aria-hidden="true" />} disabled={lines.length === 0} onClick={() => saveFile(fileName, `${lines.map((line) => line.text).join("\n")}\n`)}>
            {t("workload.download")}
          </Button>
          <label className="check">
            <input type="checkbox" checked={wrap} onChange={(event) => setWrap(event.target.checked)} />
            <span>{t("workload.wrap")}</span>
          </label>
        </div>
        <span className="log-state">
          <Status tone={paused ? "warn" : state === "following" ? "ok" : state === "connecting" ? "busy" : "off"}>{paused ? t("workload.logState.paused") : t(`workload.logState.${state}`)}</Status>
          <span className="small muted numeric">{t("workload.lines", { shown: amount(shown.length), limit: amount(LIMIT) })}</span>
        </span>
      </div>
      {error !== null && (
        <div className="card-body">
          <LoadProblem error={error} onRetry={retry} />
        </div>
      )}
      <div className="log-frame">
        <div
          ref={box}
          className={`log ${wrap ? "log-wrap" : ""}`}
          role="log"
          aria-live="off"
          aria-label={fileName}
          tabIndex={0}
          onScroll={(event) => {
            const element = event.currentTarget;
            const end = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
            // Only a person leaves the end; the list itself scrolls as lines come and are measured.
            if (end) setAtEnd(true);
            else if (Date.now() - touched.current < 1000) setAtEnd(false);
          }}
        >
          <div style={{ blockSize: height, position: "relative" }}>
            {rows.getVirtualItems().map((row) => (
              <div key={row.key} data-index={row.index} ref={rows.measureElement} className="log-line" style={{ transform: `translateY(${row.start}px)` }}>
                <span className="log-number" aria-hidden="true">
                  {shown[row.index]?.number}
                </span>
                <span className="log-text">{shown[row.index]?.text}</span>
              </div>
            ))}
          </div>
          {shown.length === 0 && error === null && <p className="log-empty">{state === "connecting" ? t("common.loading") : t("workload.noLines")}</p>}
        </div>
        {!atEnd && (
          <Button className="log-to-end" size="small" icon={<VerticalAlignBottomOutlined aria-hidden="true" />} onClick={() => setAtEnd(true)}>
            {t("workload.toEnd")}
          </Button>
        )}
      </div>
    </>
  );
}
