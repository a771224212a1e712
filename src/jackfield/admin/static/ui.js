// What views are built of. The parts live in ui/; views import from here alone.

export * from "./ui/controls.js";
export * from "./ui/core.js";
export * from "./ui/format.js";
export * from "./ui/icon.js";
export * from "./ui/layers.js";
export * from "./ui/page.js";
export * from "./ui/parts.js";
export * from "./ui/picker.js";
export * from "./ui/table.js";
export * from "./ui/tabs.js";
export { toast } from "./ui/toast.js";
