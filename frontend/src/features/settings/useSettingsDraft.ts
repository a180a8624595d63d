// A draft of the settings over the revision it was begun from. What somebody else saves is taken over at once where nothing was typed.
import { useEffect, useState } from "react";
import type { AdminSettings, InstallationSettings } from "../../api/types";
import { configuredPrices, draftOf, isChanged, rebase } from "./settingsDraft";

export function useSettingsDraft(settings: AdminSettings) {
  const [base, setBase] = useState(settings);
  const configured = configuredPrices(settings);
  const [draft, setDraft] = useState(() => draftOf(settings.set, configured));
  const dirty = isChanged(draft, base.set, configured);
  const overtaken = settings.revision > base.revision;
  const begin = (from: AdminSettings) => {
    setBase(from);
    setDraft(draftOf(from.set, configuredPrices(from)));
  };
  useEffect(() => {
    if (!overtaken || dirty) return;
    setBase(settings);
    setDraft(draftOf(settings.set, configuredPrices(settings)));
  }, [overtaken, dirty, settings]);
  return {
    base,
    draft,
    setDraft,
    dirty,
    /** Whether somebody has saved since. */
    overtaken: overtaken && dirty,
    begin,
    /** Puts other values into the form: nothing is saved by it. */
    fill: (set: InstallationSettings) => setDraft({ ...draftOf(set, configured), authorization: draft.authorization }),
    /** Goes on from what was saved meanwhile, with what was typed. */
    catchUp: () => {
      setDraft(rebase(draft, base.set, settings.set, configured));
      setBase(settings);
    },
  };
}
