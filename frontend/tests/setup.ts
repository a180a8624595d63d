// What the tests' browser lacks, and patience for busy machines.
import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";

configure({ asyncUtilTimeout: 10_000 });
afterEach(() => cleanup());
