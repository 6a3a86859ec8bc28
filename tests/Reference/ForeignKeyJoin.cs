namespace Streams.Tests.Reference;

/// <summary>What a row asks of the table that its foreign key belongs to.</summary>
internal enum Ask
{
    Leave,
    LeaveAndAnswer,
    Answer,
    AnswerIfFound,
}

/// <summary>A row's request, under its foreign key.</summary>
/// <param name="ForeignKey">The foreign key.</param>
/// <param name="Ask">What it asks for.</param>
/// <param name="Key">The row's key.</param>
/// <param name="Value">What the row is; null where it was deleted.</param>
/// <param name="TimestampMs">Its time.</param>
/// <param name="Headers">Its headers.</param>
internal sealed record Subscription(
    string ForeignKey, Ask Ask, string Key, string? Value, long TimestampMs, string Headers);

/// <summary>The answer to a row.</summary>
/// <param name="Key">The row's key.</param>
/// <param name="Asked">What the row was when it asked.</param>
/// <param name="Value">The other table's value; null for none.</param>
/// <param name="TimestampMs">The time of the result.</param>
/// <param name="Headers">The result's headers.</param>
internal sealed record Answer(string Key, string? Asked, string? Value, long TimestampMs, string Headers);

/// <summary>
/// A join of tables by a foreign key, in the three parts that may lie in different partitions: the left rows,
/// the right rows with the subscriptions, and the left rows again.
/// </summary>
internal sealed class ForeignKeyJoin(
    bool isLeft, Func<string, string?> foreignKey, Func<string, string?, string> pair)
{
    /// <summary>The left table's rows.</summary>
    internal Func<string, (string Value, long TimestampMs)?> Left { get; init; } = _ => null;

    /// <summary>The right table's rows.</summary>
    internal Func<string, (string Value, long TimestampMs)?> Right { get; init; } = _ => null;

    /// <summary>Who subscribed to what: by foreign key and key, with what the row was.</summary>
    internal SortedDictionary<(string ForeignKey, string Key), string?> Subscriptions { get; } = new(
        Comparer<(string ForeignKey, string Key)>.Create((x, y) =>
        {
            int byForeign = string.CompareOrdinal(x.ForeignKey, y.ForeignKey);
            return byForeign != 0 ? byForeign : string.CompareOrdinal(x.Key, y.Key);
        }));

    internal Action<Subscription> Send { get; set; } = _ => { };

    internal Action<Answer> Reply { get; set; } = _ => { };

    internal Action<Row> Next { get; set; } = _ => { };

    /// <summary>A change of the left table.</summary>
    internal void ProcessLeft(Change change)
    {
        if (!change.IsLatest)
            return;
        string? before = change.Old is null ? null : foreignKey(change.Old);
        string? after = change.New is null ? null : foreignKey(change.New);
        void Ask(string to, Ask ask) => Send(new Subscription(
            to, ask, change.Key, change.New, change.TimestampMs, change.Headers));
        if (isLeft)
        {
            if (before is not null && before != after)
                Ask(before, Reference.Ask.Leave);
            if (after is not null)
                Ask(after, Reference.Ask.Answer);
            else if (change.New is not null)
                Next(change.ToRow() with { Value = pair(change.New, null) });
            else if (change.Old is not null)
                Next(change.ToRow());
            return;
        }
        if (before is not null && after is null)
        {
            Ask(before, Reference.Ask.LeaveAndAnswer);
            return;
        }
        if (before is not null && before != after)
            Ask(before, Reference.Ask.Leave);
        if (after is not null)
            Ask(after, before is null || before == after
                ? Reference.Ask.AnswerIfFound : Reference.Ask.Answer);
    }

    /// <summary>A request, where the right row is.</summary>
    internal void ProcessSubscription(Subscription asked)
    {
        bool leaves = asked.Ask is Ask.Leave or Ask.LeaveAndAnswer;
        if (leaves)
            Subscriptions.Remove((asked.ForeignKey, asked.Key));
        else
            Subscriptions[(asked.ForeignKey, asked.Key)] = asked.Value;
        var found = Right(asked.ForeignKey);
        if (asked.Ask == Ask.Leave || (asked.Ask == Ask.AnswerIfFound && found is null))
            return;
        Reply(new Answer(
            asked.Key, asked.Value, leaves ? null : found?.Value,
            Math.Max(asked.TimestampMs, found?.TimestampMs ?? asked.TimestampMs), asked.Headers));
    }

    /// <summary>A change of the right table.</summary>
    internal void ProcessRight(Change change)
    {
        if (!change.IsLatest)
            return;
        foreach (((string foreign, string key), string? asked) in Subscriptions.ToList())
        {
            if (foreign == change.Key)
                Reply(new Answer(key, asked, change.New, change.TimestampMs, change.Headers));
        }
    }

    /// <summary>An answer, where the left row is: it counts only for the row that asked.</summary>
    internal void ProcessAnswer(Answer answer)
    {
        string? now = Left(answer.Key)?.Value;
        if (now != answer.Asked)
            return;
        string? result = now is not null && (answer.Value is not null || isLeft)
            ? pair(now, answer.Value) : null;
        Next(new Row(answer.Key, result, answer.TimestampMs, answer.Headers));
    }
}
