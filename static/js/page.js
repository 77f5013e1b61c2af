// The settings page works without any of this; each module makes one thing smoother.

import "./chart.js";
import "./dialogs.js";
import "./forms.js";
import "./list.js";
import "./live.js";
import "./menus.js";
