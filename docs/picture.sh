#!/usr/bin/env bash
# Makes docs/demo.svg anew: what a terminal shows of a real run of `consign demo`, once the last agent has begun.
# Needs tmux, and Python with rich (`pip install rich`).
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --quiet
terminal() { tmux -f /dev/null -L consign-picture "$@"; }
terminal new-session -d -s demo -x 100 -y 30 target/debug/consign demo
trap 'terminal kill-server' EXIT
until terminal capture-pane -p -t demo | grep -q '^child *in_progress'; do sleep 0.1; done
terminal capture-pane -e -p -t demo >target/demo.ansi

python3 - target/demo.ansi docs/demo.svg <<'EOF'
import io, re, sys
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

NORMAL = [(72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34),
          (88, 166, 255), (188, 140, 255), (57, 197, 207), (177, 186, 196)]
BRIGHT = [(132, 141, 151), (255, 123, 114), (86, 211, 100), (227, 179, 65),
          (121, 192, 255), (210, 168, 255), (86, 212, 221), (240, 246, 252)]
# It brings its own background, so it is legible on any page; and no page loads a font for a picture.
theme = TerminalTheme((13, 17, 23), (230, 237, 243), NORMAL, BRIGHT)
page = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
page = page.replace("Fira Code, monospace", 'ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace')

shown = open(sys.argv[1]).read().rstrip("\n")
console = Console(record=True, file=io.StringIO(), width=100, force_terminal=True, color_system="truecolor")
console.print(Text.from_ansi(shown), soft_wrap=True)
console.save_svg(sys.argv[2], title="consign demo", theme=theme, code_format=page, unique_id="demo")
EOF
