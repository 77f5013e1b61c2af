// The settings page works without any of this; each module makes one thing smoother.

import { readCharts } from "./chart.js";
import { runDialog } from "./dialogs.js";
import { assistForms, markBusyForms } from "./forms.js";
import { runList } from "./list.js";
import { addOwnTimes, announceMessages, copyOnClick, dismissMessages, stayOffline } from "./live.js";
import { runMenus } from "./menus.js";

announceMessages();
dismissMessages();
stayOffline();
runDialog();
assistForms();
markBusyForms();
copyOnClick();
runList();
runMenus();
readCharts();
addOwnTimes();
document.addEventListener("htmx:afterSettle", () => addOwnTimes());
