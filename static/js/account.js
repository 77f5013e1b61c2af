// Signing in and the account page work without any of this, but for passkeys.

import { announceMessages } from "./live.js";
import { closeMenus } from "./menus.js";
import { copyOnClick } from "./copy.js";
import { usePasskeys } from "./passkeys.js";

announceMessages();
closeMenus();
copyOnClick();
usePasskeys();
