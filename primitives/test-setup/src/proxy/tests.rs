use super::*;

async fn get(proxy: &Proxy) -> (u16, String) {
    let url = format!("{}/a?b=c", proxy.url());
    let response = Client::new().get(url).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// A server that answers with the path.
async fn echo() -> (Proxy, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(|request: Request| async move {
        request.uri().path_and_query().map(ToString::to_string).unwrap_or_default()
    });
    let server = tokio::spawn(async move {
        let _ = axum::serve(listener, router).await;
    });
    (Proxy::start(&url, 0).await.unwrap(), server)
}

#[tokio::test]
async fn passes_answers_alters_and_counts() {
    let (proxy, server) = echo().await;
    assert_eq!(get(&proxy).await, (200, "/a?b=c".to_owned()));
    proxy.set(|passing| match passing.path.as_str() {
        "/a?b=c" => Act::Answer(Answer::status(429)),
        _ => Act::Pass,
    });
    assert_eq!(get(&proxy).await.0, 429);
    assert_eq!(proxy.faults(), 1);
    proxy.set(|_| Act::alter(|_, body| Some([body, b"!"].concat())));
    assert_eq!((get(&proxy).await, proxy.faults()), ((200, "/a?b=c!".to_owned()), 1));
    proxy.set(|_| Act::alter(|_, _| None));
    assert_eq!((get(&proxy).await, proxy.faults()), ((200, "/a?b=c".to_owned()), 0));
    server.abort();
}

#[tokio::test]
async fn an_answer_breaks_off_in_its_middle() {
    let (proxy, server) = echo().await;
    proxy.set(|_| {
        Act::After(Box::new(|_, given| match &given.body[..] {
            b"/a?b=c" => Act::Truncate,
            _ => Act::Pass,
        }))
    });
    let response = Client::new().get(format!("{}/a?b=c", proxy.url())).send().await;
    let text = match response {
        Ok(response) => response.text().await,
        Err(error) => Err(error),
    };
    assert!(text.is_err(), "{text:?}");
    assert_eq!(proxy.faults(), 1);
    server.abort();
}

#[tokio::test]
async fn what_stalls_is_let_go_by_another_rule() {
    let (proxy, server) = echo().await;
    proxy.set(|_| Act::Stall);
    let release = async {
        proxy.wait_faults(1).await;
        proxy.pass();
    };
    let (stalled, ()) = tokio::join!(get(&proxy), release);
    assert_eq!(stalled.0, 504);
    assert_eq!(get(&proxy).await.0, 200);
    server.abort();
}
