// Signing in and the account page work without any of this, but for passkeys.

import "./forms.js";
import "./live.js";
import "./menus.js";
import "./passkeys.js";
