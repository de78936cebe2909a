// Turns the types of @grafana/schema into JSON Schemas: node generate.mjs FOLDER
import { createGenerator } from "ts-json-schema-generator";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const raw = join("node_modules", "@grafana", "schema", "dist", "types", "raw");
const panels = {
  bargauge: "BarGauge",
  gauge: "Gauge",
  piechart: "PieChart",
  stat: "Stat",
  "state-timeline": "StateTimeline",
  table: "Table",
  text: "Text",
  timeseries: "TimeSeries",
};
const wanted = [["board", "Dashboard", join(raw, "dashboard", "x", "dashboard_types.gen.d.ts")]];
for (const [kind, name] of Object.entries(panels)) {
  const folder = kind.replace("-", "");
  const file = join(raw, "composable", folder, "panelcfg", "x", `${name}PanelCfg_types.gen.d.ts`);
  wanted.push([kind, "Options", file]);
  if (["piechart", "state-timeline", "table", "timeseries"].includes(kind)) wanted.push([`${kind}.field`, "FieldConfig", file]);
}
for (const [name, type, path] of wanted) {
  const schema = createGenerator({ path, type, skipTypeCheck: true }).createSchema(type);
  writeFileSync(join(process.argv[2], `${name}.json`), JSON.stringify(schema));
}
