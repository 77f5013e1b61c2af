// Pages work without any of this, but for passkeys; each module makes one thing smoother.

import "./chart.js";
import "./dialogs.js";
import "./forms.js";
import "./list.js";
import "./live.js";
import "./menus.js";
import "./passkeys.js";
