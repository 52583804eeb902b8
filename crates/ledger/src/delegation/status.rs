//! The seven statuses and the words beside them. Every list of statuses, here or in SQL, comes from these.

/// An enum whose variants have one stable name each, on the wire and in the stores.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident => $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// All of them, in their order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The one with this name.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words!(
    /// Where a delegation stands.
    Status {
        /// Waits to be handed out.
        Queued => "queued",
        /// Handed out, no sign of life yet.
        Dispatched => "dispatched",
        /// The callee has shown life.
        InProgress => "in_progress",
        /// A warning: it went silent, or does not advance. It can recover.
        Stuck => "stuck",
        /// Answered.
        Completed => "completed",
        /// Ended without an answer.
        Failed => "failed",
        /// Called off.
        Cancelled => "cancelled",
    }
);

words!(
    /// What would end being stuck.
    StuckReason {
        /// No heartbeat: any heartbeat ends it.
        Silent => "silent",
        /// Heartbeats without progress: only progress ends it.
        NoProgress => "no_progress",
        /// Nobody began: claim, accept or a first heartbeat ends it.
        NotStarted => "not_started",
        /// Somebody said so: any heartbeat ends it.
        Reported => "reported",
    }
);

words!(
    /// Why a delegation ended without an answer.
    FailureKind {
        /// The deadline passed.
        DeadlineExceeded => "deadline_exceeded",
        /// Stuck for too long, and no attempt was left.
        AttemptsExhausted => "attempts_exhausted",
        /// Nobody began in time.
        NotStarted => "not_started",
        /// The callee said so.
        Reported => "reported",
        /// The callee refused the work.
        Rejected => "rejected",
        /// The work could not be handed to the callee.
        Undeliverable => "undeliverable",
        /// Its parent ended.
        ParentCancelled => "parent_cancelled",
    }
);

impl Status {
    /// Whether the verdict is still out.
    #[must_use]
    pub const fn in_flight(self) -> bool {
        match self {
            Self::Queued | Self::Dispatched | Self::InProgress | Self::Stuck => true,
            Self::Completed | Self::Failed | Self::Cancelled => false,
        }
    }

    /// Its place in [`Status::ALL`], for arrays of counts.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}
