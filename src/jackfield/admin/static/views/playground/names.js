// What can be asked, as the picker offers it.

import { tokens, usd } from "../../ui/format.js";
import { isCurrent, unpack } from "../models/rows.js";

/** Stands for whatever the config has as its default. */
export const DEFAULT = "default";

/** Read the table of models: the default, routes and short names first, then every model that may be asked. */
export function namesOf({ choice, routes, aliases, ...table }) {
  const { primary } = choice.text;
  return [
    ...(primary ? [option(DEFAULT, [primary.ref])] : []),
    ...routes.map((name) => option(name, ["route"])),
    ...aliases.map(({ name, ref }) => option(name, [ref])),
    ...unpack(table)
      .filter((model) => model.ready && model.allowed && isCurrent(model))
      .map((model) => option(model.ref, notesOf(model))),
  ];
}

function notesOf({ context, takes, reasoning, input, output }) {
  const kinds = takes.split("+").filter((each) => each !== "text");
  const price = input === null || output === null ? "" : `${usd(input)} in, ${usd(output)} out per M`;
  return [context && `${tokens(context)} context`, kinds.join(", "), reasoning && "thinks", price];
}

function option(value, notes) {
  return { value, label: value, note: notes.filter(Boolean).join(" · ") };
}
