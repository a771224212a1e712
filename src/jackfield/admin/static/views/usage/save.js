// The sums as a file. They are asked for with the session; a plain link would have none.

import { ask } from "../../api.js";
import { toast } from "../../ui.js";

/** Ask for the export and hand it to the browser as a file. */
export async function saveExport(query) {
  const { name, type, text } = await ask("usage/export", { query });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  toast(`Saved as ${name}`);
}
