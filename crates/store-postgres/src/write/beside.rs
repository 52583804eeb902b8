//! What stands beside a delegation: its task, its result, its progress, its watch row.

use consign_ledger::delegation::watch::Watch;
use consign_ledger::{Json, NewBodies, Payload, ProgressWrite, RowWrite, Was, preview};

use super::pipeline::{Pipeline, column};
use super::rows::ms;
use crate::failure::Trouble;

pub(super) async fn write<'a>(
    pipeline: &mut Pipeline<'a>,
    rows: &'a [RowWrite],
    nums: &[i64],
) -> Result<(), Trouble> {
    let rows: Vec<(i64, &'a RowWrite)> = nums.iter().copied().zip(rows).collect();
    tasks(pipeline, &rows).await?;
    results(pipeline, &rows).await?;
    progress(pipeline, &rows).await?;
    watch(pipeline, &rows).await
}

async fn tasks<'a>(
    pipeline: &mut Pipeline<'a>,
    rows: &[(i64, &'a RowWrite)],
) -> Result<(), Trouble> {
    let mut given: Vec<(i64, &'a Payload, Option<&'a Json>)> = vec![];
    let mut copied: Vec<(i64, i64)> = vec![];
    for (num, row) in rows {
        match &row.was {
            Was::New(NewBodies::Given(bodies)) => given.push((*num, &bodies.0, bodies.1.as_ref())),
            Was::New(NewBodies::CopyOf(old)) => copied.push((*num, *old)),
            Was::Known(..) => {}
        }
    }
    if !given.is_empty() {
        let sql = "INSERT INTO tasks (num, form, preview, whole, metadata)
                   SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[])";
        let values = vec![
            column(&given, |it| it.0),
            column(&given, |it| form(it.1)),
            column(&given, |it| preview(it.1.as_str())),
            column(&given, |it| whole(it.1)),
            column(&given, |it| it.2.map(Json::as_str)),
        ];
        pipeline.execute(sql, values).await?;
    }
    if !copied.is_empty() {
        let sql = "INSERT INTO tasks (num, form, preview, whole, metadata)
                   SELECT c.num, t.form, t.preview, t.whole, t.metadata
                   FROM unnest($1::bigint[], $2::bigint[]) c (num, old) JOIN tasks t ON t.num = c.old";
        pipeline.execute(sql, vec![column(&copied, |it| it.0), column(&copied, |it| it.1)]).await?;
    }
    Ok(())
}

async fn results<'a>(
    pipeline: &mut Pipeline<'a>,
    rows: &[(i64, &'a RowWrite)],
) -> Result<(), Trouble> {
    let results = rows.iter().filter_map(|(num, row)| Some((*num, row.result.as_ref()?)));
    let results: Vec<(i64, &'a Payload)> = results.collect();
    if results.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO results (num, form, preview, whole)
               SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[])";
    let values = vec![
        column(&results, |it| it.0),
        column(&results, |it| form(it.1)),
        column(&results, |it| preview(it.1.as_str())),
        column(&results, |it| whole(it.1)),
    ];
    pipeline.execute(sql, values).await
}

pub(super) fn form(payload: &Payload) -> &'static str {
    match payload {
        Payload::Text(_) => "text",
        Payload::Json(_) => "json",
    }
}

/// The whole text, where it is longer than its preview.
fn whole(payload: &Payload) -> Option<&str> {
    let text = payload.as_str();
    (preview(text).len() < text.len()).then_some(text)
}

async fn progress<'a>(
    pipeline: &mut Pipeline<'a>,
    rows: &[(i64, &'a RowWrite)],
) -> Result<(), Trouble> {
    let mut put: Vec<(i64, &'a str)> = vec![];
    let mut forgotten: Vec<i64> = vec![];
    for (num, row) in rows {
        match &row.progress {
            ProgressWrite::Keep => {}
            ProgressWrite::Put(json) => put.push((*num, json.as_str())),
            ProgressWrite::Forget => forgotten.push(*num),
        }
    }
    if !put.is_empty() {
        let sql =
            "INSERT INTO progress (num, progress) SELECT * FROM unnest($1::bigint[], $2::text[])
                   ON CONFLICT (num) DO UPDATE SET progress = excluded.progress";
        pipeline.execute(sql, vec![column(&put, |it| it.0), column(&put, |it| it.1)]).await?;
    }
    if !forgotten.is_empty() {
        let sql = "DELETE FROM progress WHERE num = ANY ($1::bigint[])";
        pipeline.execute(sql, vec![Box::new(forgotten)]).await?;
    }
    Ok(())
}

async fn watch<'a>(
    pipeline: &mut Pipeline<'a>,
    rows: &[(i64, &'a RowWrite)],
) -> Result<(), Trouble> {
    let watched = rows.iter().filter_map(|(num, row)| Some((*num, row.watch.as_ref()?)));
    let watched: Vec<(i64, &'a Watch)> = watched.collect();
    let over = |(num, row): &(i64, &RowWrite)| {
        (row.watch.is_none() && matches!(row.was, Was::Known(..))).then_some(*num)
    };
    let over: Vec<i64> = rows.iter().filter_map(over).collect();
    if !over.is_empty() {
        let sql = "DELETE FROM watch WHERE num = ANY ($1::bigint[])";
        pipeline.execute(sql, vec![Box::new(over)]).await?;
    }
    if watched.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO watch (num, epoch, attempt, alive_at, progress_at, clocks_from, threshold_s,
                                  progress_within_s, check_at, deadline)
               SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
                                    $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])
               ON CONFLICT (num) DO UPDATE SET
                   epoch = excluded.epoch, attempt = excluded.attempt, alive_at = excluded.alive_at,
                   progress_at = excluded.progress_at, clocks_from = excluded.clocks_from,
                   threshold_s = excluded.threshold_s, progress_within_s = excluded.progress_within_s,
                   check_at = excluded.check_at, deadline = excluded.deadline";
    let values = vec![
        column(&watched, |it| it.0),
        column(&watched, |it| it.1.epoch),
        column(&watched, |it| i64::from(it.1.attempt)),
        column(&watched, |it| ms(it.1.alive_at)),
        column(&watched, |it| ms(it.1.progress_at)),
        column(&watched, |it| ms(it.1.clocks_from)),
        column(&watched, |it| it.1.threshold_s.map(i64::from)),
        column(&watched, |it| it.1.progress_within_s.map(i64::from)),
        column(&watched, |it| ms(it.1.check_at)),
        column(&watched, |it| it.1.deadline.0),
    ];
    pipeline.execute(sql, values).await
}
