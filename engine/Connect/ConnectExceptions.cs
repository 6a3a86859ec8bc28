namespace Streams.Connect;

/// <summary>A system outside cannot be reached, or refuses for now. Worth trying again.</summary>
public sealed class UnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A sink cannot write a record, and is configured to stop then.</summary>
public sealed class RecordRejectedException(string message, Exception inner) : Exception(message, inner);

/// <summary>A sink has undone what was written after its last commit, because its target refused a part of
/// it, and wants the records again, to find out which ones.</summary>
public sealed class WriteAgainException(string message, Exception inner) : Exception(message, inner);

/// <summary>Another writer has taken over what a sink writes: two processes have the same name and the same
/// log. Trying again would take it back from the other, so the sink stops.</summary>
public sealed class SinkFencedException(string message) : Exception(message);

/// <summary>Something can never work as configured: the message says what, where and what to do.</summary>
public sealed class ConfigurationException(string message, Exception? inner = null)
    : Exception(message, inner);
