//! A terminal, as the system gives one to a program.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// The person's end of it.
pub(crate) struct Terminal {
    keys_and_screen: File,
    name: String,
}

impl Terminal {
    /// One of so many columns.
    pub(crate) fn of(columns: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
        let name = ptsname(&master, vec![]).unwrap().into_string().unwrap();
        Self { keys_and_screen: File::from(master), name }
    }

    /// Where it is found.
    #[cfg(target_os = "linux")]
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Runs a command there. While it is kept, it holds the terminal, and so reading does not end.
    pub(crate) fn runs(&self, mut command: Command) -> Child {
        let screen = File::options().read(true).write(true).open(&self.name).unwrap();
        command.stdin(Stdio::null()).stdout(screen.try_clone().unwrap()).stderr(screen);
        command.spawn().unwrap()
    }

    /// What appears until this does.
    #[track_caller]
    pub(crate) fn until(&mut self, part: &str) -> String {
        let (mut shown, mut some) = (vec![], [0; 4096]);
        loop {
            let read = self.keys_and_screen.read(&mut some).unwrap();
            shown.extend_from_slice(&some[..read]);
            let text = String::from_utf8_lossy(&shown);
            if text.contains(part) {
                return text.into_owned();
            }
        }
    }

    /// What appears until everybody has left it.
    pub(crate) fn read_to_its_end(&mut self) -> String {
        let mut shown = vec![];
        // Linux says EIO where everybody has left the terminal.
        if let Err(error) = self.keys_and_screen.read_to_end(&mut shown) {
            assert_ne!(error.kind(), ErrorKind::Interrupted);
        }
        String::from_utf8_lossy(&shown).replace("\r\n", "\n")
    }
}
