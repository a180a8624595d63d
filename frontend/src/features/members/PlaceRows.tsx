// Rows of clusters and namespaces, and what is given in each.
import { CloseCircleFilled, CloseOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Input } from "antd";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { useClusters } from "../../api/clusters";
import { useNamespaces } from "../../api/kubernetes";
import { useRoles } from "../../api/members";
import { Field } from "../../components/Field";
import { Select } from "../../components/Select";
import { useRoleWord } from "../../components/words";
import { fieldId } from "../create/ErrorSummary";
import { MOST_PLACES, withPlace, type MemberDraft, type PlaceDraft } from "./memberDraft";
import { OF_PLACES } from "./roles";

interface Props {
  draft: MemberDraft;
  /** By the API's path. */
  errors: Record<string, string>;
  onChange: (draft: MemberDraft) => void;
}

export function PlaceRows({ draft, errors, onChange }: Props) {
  const { t } = useTranslation();
  const box = useRef<HTMLFieldSetElement>(null);
  const { places } = draft;
  const replace = (index: number, part: Partial<PlaceDraft>) => onChange({ ...draft, places: places.map((place, at) => (at === index ? { ...place, ...part } : place)) });
  const remove = (index: number) => {
    onChange({ ...draft, places: places.filter((_, at) => at !== index) });
    // The row's button goes with the row.
    box.current?.focus();
  };
  return (
    <fieldset ref={box} tabIndex={-1} id={fieldId("member.places")} className="choices">
      <legend className="field-label">{t("member.col.places")}</legend>
      <p className="field-hint">{t("member.place.hint")}</p>
      {places.map((place, index) => (
        <PlaceRow key={place.key} index={index} place={place} errors={errors} onChange={(part) => replace(index, part)} onRemove={() => remove(index)} />
      ))}
      {errors.places && <Wrong text={errors.places} />}
      <div>
        <Button size="small" type="dashed" icon={<PlusOutlined aria-hidden="true" />} disabled={places.length >= MOST_PLACES} onClick={() => onChange(withPlace(draft))}>
          {t("member.place.add")}
        </Button>
      </div>
    </fieldset>
  );
}

function Wrong({ text, id }: { text: string; id?: string }) {
  return (
    <p id={id} className="field-error">
      <CloseCircleFilled aria-hidden="true" /> {text}
    </p>
  );
}

interface RowProps {
  index: number;
  place: PlaceDraft;
  errors: Record<string, string>;
  onChange: (part: Partial<PlaceDraft>) => void;
  onRemove: () => void;
}

function PlaceRow({ index, place, errors, onChange, onRemove }: RowProps) {
  const { t } = useTranslation();
  const clusters = useClusters({ limit: 200 });
  const roles = useRoles().data?.items ?? [];
  const word = useRoleWord();
  const at = `places[${index}]`;
  const id = (part: string) => fieldId(`member.${at}${part}`);
  return (
    <div className="place" role="group" id={id("")} tabIndex={-1} aria-label={t("member.place.one", { number: index + 1 })} aria-describedby={errors[at] ? `${id("")}-error` : undefined}>
      <Field label={t("member.place.cluster")} error={errors[`${at}.cluster`]} id={id(".cluster")}>
        {(field) => (
          <Select
            {...field}
            placeholder={t("member.place.choose")}
            value={place.cluster}
            options={(clusters.data?.items ?? []).map((cluster) => ({ value: cluster.id, label: cluster.name }))}
            onChange={(cluster) => onChange({ cluster })}
          />
        )}
      </Field>
      <Field label={t("member.place.extent")}>
        {(field) => (
          <Select
            {...field}
            value={place.whole ? "whole" : "namespace"}
            options={(["namespace", "whole"] as const).map((value) => ({ value, label: t(`member.place.${value}`) }))}
            onChange={(extent) => onChange({ whole: extent === "whole" })}
          />
        )}
      </Field>
      {place.whole ? <span className="place-none" /> : <NamespaceField place={place} error={errors[`${at}.namespace`]} id={id(".namespace")} onChange={(namespace) => onChange({ namespace })} />}
      <Field label={t("member.place.role")} error={errors[`${at}.role`]} id={id(".role")}>
        {(field) => (
          <Select
            {...field}
            value={place.role}
            options={[...OF_PLACES.map((role) => ({ value: role as string, label: word(role) })), ...roles.map((role) => ({ value: role.id, label: role.name }))]}
            onChange={(role) => onChange({ role })}
          />
        )}
      </Field>
      <button type="button" className="icon-button place-remove" aria-label={t("member.place.remove", { number: index + 1 })} onClick={onRemove}>
        <CloseOutlined aria-hidden="true" />
      </button>
      {errors[at] && <Wrong id={`${id("")}-error`} text={errors[at]} />}
    </div>
  );
}

/** Typed, because it need not be there yet; those that are there are proposed while the cluster answers. */
function NamespaceField({ place, error, id, onChange }: { place: PlaceDraft; error: string | undefined; id: string; onChange: (namespace: string) => void }) {
  const { t } = useTranslation();
  const known = useNamespaces(place.cluster, place.cluster !== "");
  return (
    <Field label={t("member.place.which")} error={error} id={id}>
      {(field) => (
        <>
          <Input {...field} autoComplete="off" spellCheck={false} maxLength={63} list={`${id}-known`} value={place.namespace} onChange={(event) => onChange(event.target.value)} />
          <datalist id={`${id}-known`}>
            {known.data?.items.map((namespace) => (
              <option key={namespace.name} value={namespace.name}>
                {namespace.name}
              </option>
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}
