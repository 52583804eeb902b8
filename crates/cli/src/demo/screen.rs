//! A terminal's other screen, which is painted over and over, and left as it was found, also by a panic.

use std::io::{self, Stdout, Write as _};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::termios::tcgetwinsize;

const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";
/// Where the terminal does not say.
const COLUMNS_DEFAULT: usize = 80;
const ROWS_DEFAULT: usize = 24;

/// Whether the other screen is shown: leaving it twice would put the cursor where it was at first.
static SHOWN: AtomicBool = AtomicBool::new(false);

/// The other screen, while it is shown. No cursor, and a line that is too long is cut and not continued.
pub(super) struct Screen(Stdout);

/// How much fits.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

impl Screen {
    pub(super) fn enter() -> io::Result<Self> {
        let screen = Self(io::stdout());
        SHOWN.store(true, Ordering::Relaxed);
        (&screen.0).write_all(ENTER.as_bytes())?;
        // What a panic says goes to the screen that stays.
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            leave();
            usual(panic);
        }));
        Ok(screen)
    }

    /// As it is now: it may have been changed since the last frame.
    pub(super) fn size(&self) -> Size {
        let told = tcgetwinsize(&self.0).ok().filter(|it| it.ws_col > 0 && it.ws_row > 0);
        let size = |it: rustix::termios::Winsize| Size {
            columns: it.ws_col.into(),
            rows: it.ws_row.into(),
        };
        told.map_or(Size { columns: COLUMNS_DEFAULT, rows: ROWS_DEFAULT }, size)
    }

    /// Shows these lines and nothing else, in one write, so that nothing flickers. A line is cleared before it is
    /// written: behind one that fills it, clearing would take its last character.
    pub(super) fn paint(&self, lines: &[String]) -> io::Result<()> {
        let empty = String::new();
        let rows = lines.iter().chain(std::iter::repeat(&empty)).take(self.size().rows);
        let rows: Vec<String> = rows.map(|line| format!("\x1b[2K{line}")).collect();
        let mut out = &self.0;
        out.write_all(format!("\x1b[H{}", rows.join("\n")).as_bytes())?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

fn leave() {
    if SHOWN.swap(false, Ordering::Relaxed) {
        let mut out = io::stdout();
        // A terminal that is gone needs nothing.
        drop(out.write_all(LEAVE.as_bytes()).and_then(|()| out.flush()));
    }
}
