// The console's entry: texts first, then the first page.
import { createRoot } from "react-dom/client";
import { Root } from "./app/Root";
import { startTexts } from "./i18n";
import "./styles/index.css";

const element = document.getElementById("root");
if (!element) throw new Error("index.html has no #root");
await startTexts();
createRoot(element).render(<Root />);
