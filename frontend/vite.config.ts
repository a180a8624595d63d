// How the console is built, served in development (the API of a running `kcs dev` behind it) and tested.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const api = process.env.KCS_API ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  server: {
    host: "127.0.0.1",
    port: 5173,
    proxy: { "/api": api, "/k8s": api },
  },
  build: {
    target: "es2022",
    // No code or image may be inlined: the Content-Security-Policy of the server allows scripts of its own origin only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      output: {
        // The small parts that most pages share come as one file instead of thirty.
        codeSplitting: { groups: [{ name: "shared", test: /src[\\/](?:components[\\/](?!Dialog)|api[\\/]|i18n[\\/])|@ant-design[\\/]icons/ }] },
      },
    },
  },
  test: {
    environment: "happy-dom",
    include: ["tests/**/*.test.{ts,tsx}"],
    setupFiles: ["tests/setup.ts"],
    testTimeout: 60_000,
  },
});
