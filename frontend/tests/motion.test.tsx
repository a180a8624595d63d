// Movement: whoever asked their system for less of it is shown what comes where it stays.
import { render } from "@testing-library/react";
import { ConfigProvider, theme } from "antd";
import { expect, it, vi } from "vitest";

/** The looks of the console, loaded where less movement is asked for, or not. */
async function looks(less: boolean) {
  vi.resetModules();
  const asked = vi.spyOn(window, "matchMedia").mockImplementation((query) => ({ matches: less && query === "(prefers-reduced-motion: reduce)" }) as MediaQueryList);
  const loaded = await import("../src/app/theme");
  asked.mockRestore();
  return [loaded.light, loaded.dark];
}

function Probe() {
  return <output>{String(theme.useToken().token.motion)}</output>;
}

it.each([
  [true, "false"],
  [false, "true"],
])("there is none of the components' where less is asked for (%s)", async (less, moves) => {
  for (const look of await looks(less)) {
    const shown = render(
      <ConfigProvider theme={look}>
        <Probe />
      </ConfigProvider>,
    );
    expect(shown.container.textContent).toBe(moves);
    shown.unmount();
  }
});
