//! What answers are made of, as far as it is used here. What a newer server adds is passed over.

mod agent;
mod answer;
mod delegation;
mod event;
mod inbox;
mod outlook;
mod report;
mod retention;
mod settings;
mod status;

pub use agent::{Agent, AgentRemoved, AgentSet, AgentShown, Agents, LatestWork};
pub use answer::{
    Accepted, Answered, Changed, Claims, Delegated, Page, Pulse, Ready, Shown, Stats,
};
pub use delegation::{Delegation, Waiting};
pub use event::{Actor, Event, EventPage, LateResult, LateResults};
pub use inbox::{Acknowledged, Inbox, Message};
pub use outlook::{Gap, Next, Outlook};
pub use report::{SweepReport, Sweeps, Swept};
pub use retention::{Prunable, PrunablePage, PruneAnswer, PruneOutcome};
pub use settings::Settings;
pub use status::Status;
