//! `GET /v1/events`: the events as server-sent events.

use std::convert::Infallible;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::listener::{Filter, Listener, Told};
use super::view::EventKind;
use crate::limits;
use crate::parameters::{self, parse, parse_given};
use crate::problem::{Kind, Problem};
use crate::routes::Front;

/// Which events to hear of; where nothing is said, all.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// Only those of this queue.
    #[param(value_type = Option<gristmill_job::QueueName>)]
    queue: Option<String>,
    /// Only those of this plugin.
    #[param(value_type = Option<gristmill_job::PluginName>)]
    plugin: Option<String>,
    /// Only those of this job.
    #[param(value_type = Option<gristmill_job::JobId>)]
    job: Option<String>,
    /// Only those of these kinds, set apart by commas.
    #[param(
        pattern = "^(worker_started|attempt_started|logged|progressed|settled|released|deferred|stopped|lease_lost|queue_unavailable|queue_available|worker_stopped|missed|lagged)(,(worker_started|attempt_started|logged|progressed|settled|released|deferred|stopped|lease_lost|queue_unavailable|queue_available|worker_stopped|missed|lagged))*$"
    )]
    kind: Option<String>,
}

/// One event of the stream.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is written line by line")]
pub(crate) struct Frame {
    /// Its kind.
    #[schema(required = false)]
    event: EventKind,
    /// By what to come back; none for what is told to this listener alone.
    id: Option<String>,
    /// An `EventView`, as JSON.
    #[schema(content_media_type = "application/json")]
    data: String,
}

impl TryFrom<EventsQuery> for Filter {
    type Error = Problem;

    fn try_from(query: EventsQuery) -> Result<Self, Problem> {
        let kinds = query.kind.iter().flat_map(|kinds| kinds.split(','));
        Ok(Self {
            queue: parse_given("queue", query.queue.as_deref())?,
            plugin: parse_given("plugin", query.plugin.as_deref())?,
            job: query.job.as_deref().map(parameters::parse_job).transpose()?,
            kinds: kinds.map(|kind| parse::<EventKind>("kind", kind)).collect::<Result<_, _>>()?,
        })
    }
}

/// Hear what happens here, as it happens
///
/// Those of this daemon's worker alone, also where others share the queue. Server-sent events: `event`
/// is the kind, `data` an `EventView`, `id` by what to come back: whoever sends it as `Last-Event-ID` hears what came since, as far as it is kept. A listener that is slower
/// than the events hears `lagged` last. Signs of life come every 15 seconds, as comments.
#[utoipa::path(get, path = "/v1/events", operation_id = "listenToEvents", tag = "daemon",
    params(EventsQuery, ("Last-Event-ID" = Option<String>, Header,
        description = "The last event that was heard")),
    responses((status = 200, body = Frame, content_type = "text/event-stream",
        description = "Events without end")))]
pub(crate) async fn listen(
    State(front): State<Front>,
    query: Result<Query<EventsQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let filter = Filter::try_from(parameters::query(query)?)?;
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let Some(listener) = front.desk.feed.subscribe(filter, last) else {
        let detail = format!("{} listen already; try again later", limits::LISTENERS_MAX);
        return Err(Problem::new(Kind::TooManyListeners, detail));
    };
    let begun = Event::default().comment("listening").retry(limits::RECONNECT);
    let heard = stream::unfold(listener, |mut listener: Listener| async move {
        let told = listener.hear().await?;
        Some((render(told), listener))
    });
    let heard = heard.take_until(front.closing.clone().cancelled_owned());
    let events = stream::once(async { begun }).chain(heard).map(Ok);
    let alive = KeepAlive::new().interval(limits::HEARTBEAT).text("heartbeat");
    Ok(Sse::new(events).keep_alive(alive))
}

fn render(told: Told) -> Event {
    let data = serde_json::to_string(&*told.event).unwrap_or_default();
    let event = Event::default().event(told.event.kind.to_string()).data(data);
    match told.id {
        Some(id) => event.id(id),
        None => event,
    }
}
