using System.Text;
using Streams.Records;

namespace Streams.Tests.Engine.Records;

/// <summary>
/// Fills records from a seed, with the values at which encodings change their length or form.
/// </summary>
internal sealed class RandomRecords(int seed)
{
    private readonly Random _random = new(seed);

    public EveryKind Next()
    {
        var record = new EveryKind();
        Fill(record);
        return record;
    }

    public void Fill(EveryKind record)
    {
        record.Clear();
        FillScalars(record);
        FillOptionals(record);
        FillLists(record);
        if (Chance())
            Fill(ref record.Part.Set());
        for (int i = Count(); i > 0; i--)
            Fill(ref record.Parts.Add());
    }

    public UInt256 Amount() =>
        new(Limb(), Chance() ? Limb() : 0, Chance() ? Limb() : 0, Chance() ? Limb() : 0);

    public Bytes32 Hash()
    {
        byte[] bytes = new byte[Bytes32.Size];
        if (Chance())
            _random.NextBytes(bytes);
        return new Bytes32(bytes);
    }

    public long Int64() => (long)Limb();

    public double Double() => _random.Next(5) switch
    {
        0 => 0,
        1 => -0.0,
        2 => _random.Next(-1000, 1000),
        3 => double.MaxValue * _random.NextDouble(),
        _ => Finite(BitConverter.Int64BitsToDouble(_random.NextInt64())),
    };

    public string String()
    {
        var text = new StringBuilder();
        for (int i = _random.Next(Chance() ? 4 : 80); i > 0; i--)
        {
            int choice = _random.Next(12);
            text.Append(choice switch
            {
                0 => "\"\\/\b\f\n\r\t"[_random.Next(8)].ToString(),
                1 => ((char)_random.Next(0x20)).ToString(),
                2 => "é",
                3 => "₿",
                4 => "😀",
                5 => "\u007F",
                6 => "\uFFFF",
                _ => ((char)_random.Next(0x20, 0x7F)).ToString(),
            });
        }
        return text.ToString();
    }

    private static double Finite(double value) => double.IsFinite(value) ? value : 1.5;

    private void FillScalars(EveryKind record)
    {
        record.Flag = Chance();
        record.Int32 = (int)Limb();
        record.Int64 = Int64();
        record.UInt32 = (uint)Limb();
        record.UInt64 = Limb();
        // Google.Protobuf for C# takes -0 for the default, against the specification; a test of its own shows
        // it.
        record.Double = Double() is var value and not 0 ? value : 0;
        record.Colour = Colour();
        record.Text = record.Memory.Text(String());
        record.Bytes = record.Memory.Bytes(Blob());
        record.Hash = Hash();
        record.Amount = Amount();
        record.Far = Int64();
    }

    private void FillOptionals(EveryKind record)
    {
        record.MaybeFlag = Chance() ? Chance() : null;
        record.MaybeInt32 = Chance() ? (int)Limb() : null;
        record.MaybeInt64 = Chance() ? Int64() : null;
        record.MaybeUInt32 = Chance() ? (uint)Limb() : null;
        record.MaybeUInt64 = Chance() ? Limb() : null;
        record.MaybeDouble = Chance() ? Double() : null;
        record.MaybeColour = Chance() ? Colour() : null;
        record.MaybeText = Chance() ? record.Memory.Text(String()) : null;
        record.MaybeBytes = Chance() ? record.Memory.Bytes(Blob()) : null;
        record.MaybeHash = Chance() ? Hash() : null;
        record.MaybeAmount = Chance() ? Amount() : null;
        record.Farthest = Chance() ? record.Memory.Text(String()) : null;
    }

    private void FillLists(EveryKind record)
    {
        for (int i = Count(); i > 0; i--)
        {
            record.Flags.Add(Chance());
            record.Int32s.Add((int)Limb());
            record.Int64s.Add(Int64());
            record.UInt32s.Add((uint)Limb());
            record.Doubles.Add(Double());
            record.Colours.Add(Colour());
        }
        for (int i = Count(); i > 0; i--)
        {
            record.UInt64s.Add(Limb());
            record.Texts.Add(record.Memory.Text(String()));
            record.Blobs.Add(record.Memory.Bytes(Blob()));
            record.Hashes.Add(Hash());
            record.Amounts.Add(Amount());
        }
    }

    private void Fill(ref Part part)
    {
        part.Id = Int64();
        part.Label = Chance() ? part.Memory.Text(String()) : null;
        if (Chance())
            Fill(ref part.Best.Set(), ref part.Memory);
        for (int i = Count(); i > 0; i--)
            Fill(ref part.Leaves.Add(), ref part.Memory);
        for (int i = Count() * 20; i > 0; i--)
            part.Sizes.Add((int)Limb());
    }

    private void Fill(ref Leaf leaf, ref RecordMemory memory)
    {
        leaf.Weight = Chance() ? Double() : null;
        for (int i = Count(); i > 0; i--)
            leaf.Tags.Add(memory.Text(String()));
    }

    private bool Chance() => _random.Next(2) == 0;

    private int Count() => _random.Next(4) == 0 ? _random.Next(8) : _random.Next(2);

    private Colour Colour() =>
        _random.Next(5) switch
        {
            0 => Records.Colour.DarkRed,
            1 => Records.Colour.Green,
            2 => Records.Colour.Negative,
            _ => Records.Colour.Clear,
        };

    private byte[] Blob()
    {
        byte[] bytes = new byte[_random.Next(Chance() ? 4 : 200)];
        _random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>
    /// A number whose highest bit is anywhere, and its neighbours of all ones and all zeros.
    /// </summary>
    private ulong Limb()
    {
        int bits = _random.Next(65);
        ulong mask = bits == 64 ? ulong.MaxValue : (1UL << bits) - 1;
        return _random.Next(3) switch
        {
            0 => mask,
            1 => mask + 1,
            _ => (ulong)_random.NextInt64(long.MinValue, long.MaxValue) & mask,
        };
    }
}
