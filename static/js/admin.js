// The admin shows the same charts as the settings page.

import { readCharts } from "./chart.js";

readCharts();
