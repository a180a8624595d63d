// The texts of the operators' pages in this language, which nobody else gets.
import admin from "./admin.json";

const texts = { admin };
export default texts;
