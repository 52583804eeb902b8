//! A callee in Rust: takes what is entrusted to AGENT, one piece after another, beats while it works.
//!
//!     cargo run --example callee AGENT     CONSIGN_URL: the server; BEAT_S: seconds between beats
use consign_client::{Accepted, Beat, Claim, Client, Complete, Fail, Release};
use serde_json::{Value, from_str, value::to_raw_value};
use std::{env, error::Error, time::Duration};
use tokio::{signal::unix, sync::watch, time::sleep};

/// The work; put yours here. It says how far it is, and is dropped where it waits when it must stop.
async fn work(task: Value, say: impl AsyncFn(u64)) -> Result<String, &'static str> {
    let count_to = task["count_to"].as_u64().ok_or(r#"the task must be {"count_to": NUMBER}"#)?;
    for counted in 1..=count_to {
        sleep(Duration::from_secs(1)).await;
        say(counted).await;
    }
    Ok(count_to.to_string())
}

async fn serve(client: &Client, it: Accepted, mut leaving: watch::Receiver<()>) {
    let (id, lease) = (&it.delegation.delegation_id, Some(it.lease.clone()));
    let task = it.delegation.task.and_then(|task| from_str(task.get()).ok()).unwrap_or_default();
    let say = async |counted| {
        let progress = to_raw_value(&counted).ok();
        drop(client.heartbeat(id, &Beat { lease: lease.clone(), progress, waiting: None }).await);
    };
    let every_s = env::var("BEAT_S").ok().and_then(|it| it.parse().ok()).unwrap_or(10);
    let working = client.beating(id, &it.lease, Duration::from_secs(every_s), work(task, say));
    let told = match tokio::select! { done = working => Some(done), _ = leaving.changed() => None }
    {
        None => client.release(id, &Release { lease, reason: None }).await.map(drop),
        Some(Ok(Ok(result))) => {
            client.complete(id, &Complete { lease, ..Complete::text(&result) }).await.map(drop)
        }
        Some(Ok(Err(why))) => {
            client.fail(id, &Fail { lease, ..Fail::because(why) }).await.map(drop)
        }
        Some(Err(told)) => Err(told),
    };
    told.unwrap_or_else(|told| eprintln!("{id}: {told}"));
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = env::var("CONSIGN_URL").unwrap_or_else(|_| "http://127.0.0.1:7420".into());
    // Each request of a callee may be repeated: for so long, where nobody answers.
    let client = Client::new(&url)?.retrying_for(Duration::from_hours(1));
    let agent = env::args().nth(1).ok_or("give the id of the agent")?;
    let (leave, mut leaving) = watch::channel(());
    let mut told = unix::signal(unix::SignalKind::terminate())?;
    tokio::spawn(async move { told.recv().await.map(|()| leave.send_replace(())) });
    loop {
        let claim = Claim { wait_s: Some(30), ..Claim::default() };
        let claimed = tokio::select! { biased; _ = leaving.changed() => break, it = client.claim(&agent, claim) => it? };
        for it in claimed.value.claims {
            serve(&client, it, leaving.clone()).await;
        }
    }
    Ok(())
}
